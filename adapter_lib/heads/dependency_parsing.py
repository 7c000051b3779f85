"""A biaffine dependency parser (Dozat & Manning 2017, https://arxiv.org/abs/1611.01734) without maps in front
of it, over the states of an encoder (Glavaš & Vulić 2021, https://arxiv.org/abs/2008.06788).
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from transformers.utils.generic import ModelOutput

from adapter_lib.heads.base import Head, Items, Scores, parameter
from adapter_lib.heads.given import Given
from adapter_lib.heads.losses import cross_entropy
from adapter_lib.heads.registry import register_head_class
from adapter_lib.spec.errors import AttachError
from adapter_lib.spec.heads import DependencyParsingSpec


@dataclass
class DependencyParsingOutput(ModelOutput):
    """What a parser says of W words.

    arc_logits: [B, W, W + 1], that a word's head is the root (column 0) or the word j (column j + 1).
    rel_logits: [B, W, W + 1, relations], of the relation to that head.
    """

    loss: Tensor | None = None
    arc_logits: Tensor | None = None
    rel_logits: Tensor | None = None
    hidden_states: tuple[Tensor, ...] | None = None
    attentions: tuple[Tensor, ...] | None = None


class Biaffine(nn.Module):
    """s_o(x, y) = [x; 1]ᵀ U_o [y; 1], the second 1 only where the parameters have a column for it."""

    def __init__(self, outputs: int, left: int, right: int, like: Tensor) -> None:
        super().__init__()
        self.weight = parameter(like, outputs, left, right)
        nn.init.xavier_uniform_(self.weight)

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        """[B, outputs, N, M] for x [B, N, d] and y [B, M, d]."""
        y = F.pad(y, (0, 1), value=1.0) if self.weight.shape[2] > y.shape[-1] else y
        return torch.einsum("bni,oij,bmj->bonm", F.pad(x, (0, 1), value=1.0), self.weight, y)


class DependencyParsingHead(Head[DependencyParsingSpec]):
    """Scores of arcs and relations between the words of `word_starts`.

    word_starts [B, W + 1]: where each word begins, then where the last one ends; -100 behind that. A word is
    the mean of its tokens, the root the first token.
    labels_arcs [B, W]: 0 for the root, else 1 + the number of the head; labels_rels [B, W]: the relation.
    Both are -100 where there is no word, or none to learn from. The loss is the sum of both cross-entropies.
    """

    label_names = ("labels_arcs", "labels_rels")
    input_names = ("word_starts",)
    score_names = ("arc_logits", "rel_logits")
    output_class = DependencyParsingOutput

    def __init__(self, spec: DependencyParsingSpec, hidden_size: int, like: Tensor) -> None:
        super().__init__(spec, hidden_size, like)
        self.arc = Biaffine(1, hidden_size + 1, hidden_size, like)
        self.rel = Biaffine(len(spec.labels), hidden_size + 1, hidden_size + 1, like)

    def scores(self, hidden: Tensor, given: Given) -> Scores:
        starts = given.extra.get("word_starts")
        if starts is None:
            raise AttachError("A dependency parser needs word_starts [batch, words + 1].")
        words = words_of(hidden, starts)
        words = F.dropout(words, self.spec.dropout, self.training)
        heads = torch.cat([hidden[:, :1], words], dim=1)
        # No word can be the head of another behind its sentence's end.
        absent = F.pad(starts[:, 1:] < 0, (1, 0))
        arcs = self.arc(words, heads).squeeze(1).masked_fill(absent.unsqueeze(1), float("-inf"))
        return arcs, self.rel(words, heads).permute(0, 2, 3, 1)

    def loss(self, scores: Scores, labels: tuple[Tensor, ...], items: Items) -> Tensor:
        (arcs, relations), (wanted_arcs, wanted) = scores, labels
        gold = wanted_arcs.clamp(min=0)[..., None, None].expand(-1, -1, 1, relations.shape[-1])
        chosen = relations.gather(2, gold).squeeze(2)
        return cross_entropy(arcs, wanted_arcs, items) + cross_entropy(chosen, wanted, items)


def words_of(hidden: Tensor, starts: Tensor) -> Tensor:
    """The mean state of every word's tokens [B, W, d]; 0 where there is no word.

    Raises AttachError for starts that do not go up or lie outside the input.
    """
    begin, end = starts[:, :-1], starts[:, 1:]
    is_word = end >= 0
    wrong = is_word & ((begin < 0) | (end <= begin) | (end > hidden.shape[1]))
    if bool(wrong.any()):
        raise AttachError("word_starts must go up within the input, with -100 behind the last end only.")
    position = torch.arange(hidden.shape[1], device=hidden.device)
    inside = (position >= begin.unsqueeze(-1)) & (position < end.unsqueeze(-1))
    weights = (inside & is_word.unsqueeze(-1)).to(hidden.dtype)
    return (weights @ hidden) / weights.sum(dim=-1, keepdim=True).clamp(min=1)


register_head_class(DependencyParsingSpec, DependencyParsingHead)
