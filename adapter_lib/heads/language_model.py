"""Scores over the vocabulary."""

from typing import TypeVar

from torch import Tensor, nn
from torch.nn import functional as F
from transformers.modeling_outputs import CausalLMOutputWithPast, MaskedLMOutput, Seq2SeqLMOutput

from adapter_lib.heads.activations import activation_of
from adapter_lib.heads.base import Head, Items, Scores, parameter
from adapter_lib.heads.given import Given
from adapter_lib.heads.losses import IGNORED, cross_entropy
from adapter_lib.heads.registry import register_head_class
from adapter_lib.spec.errors import AttachError
from adapter_lib.spec.heads import CausalLMSpec, LanguageModelSpec, MaskedLMSpec, Seq2SeqLMSpec

M = TypeVar("M", bound=LanguageModelSpec)
_STD = 0.02


class LanguageModelHead(Head[M]):
    """Logits [B, S, V]; labels [B, S], -100 ignored.

    A map, an activation and a norm, if the description has them; then the output embeddings, of its own or
    the model's input embeddings. An invertible adapter is undone between the two.
    """

    is_per_position = True

    def __init__(self, spec: M, hidden_size: int, like: Tensor) -> None:
        super().__init__(spec, hidden_size, like)
        width = spec.width or hidden_size
        self.act = activation_of(spec.activation)
        if spec.transform:
            self.transform = nn.Linear(hidden_size, width, device=like.device, dtype=like.dtype)
            self.norm = nn.LayerNorm(width, spec.norm_eps, device=like.device, dtype=like.dtype)
        self.decoder = nn.Module()
        if not spec.tied:
            self.decoder.weight = parameter(like, spec.vocab_size, width)
            nn.init.normal_(self.decoder.weight, std=_STD)
        if spec.use_bias:
            self.decoder.bias = parameter(like, spec.vocab_size)

    def scores(self, hidden: Tensor, given: Given) -> Scores:
        x = hidden
        if self.spec.transform:
            x = self.norm(self.act(self.transform(x)))
        x = x * self.spec.scale if self.spec.scale != 1 else x
        x = x if given.undo is None else given.undo(x)
        weight, bias = self._weight(given), getattr(self.decoder, "bias", None)
        if x.shape[-1] != weight.shape[1] or (bias is not None and len(bias) != len(weight)):
            raise AttachError(
                f"The language-model head has the vocabulary {self.spec.vocab_size} and the width "
                f"{x.shape[-1]}, but it is tied to embeddings {list(weight.shape)}."
            )
        return (F.linear(x, weight.to(x.dtype), bias),)

    def _weight(self, given: Given) -> Tensor:
        if not self.spec.tied:
            own: Tensor = self.decoder.get_parameter("weight")
            return own
        if given.embeddings is None:
            raise AttachError("A tied language-model head needs a model with input embeddings.")
        return given.embeddings

    def loss(self, scores: Scores, labels: tuple[Tensor, ...], items: Items) -> Tensor:
        return cross_entropy(scores[0].float(), labels[0], items)


class MaskedLMHead(LanguageModelHead[MaskedLMSpec]):
    """The token that stood at each position."""

    output_class = MaskedLMOutput


class CausalLMHead(LanguageModelHead[CausalLMSpec]):
    """The token after each position; labels are the inputs themselves."""

    output_class = CausalLMOutputWithPast

    def loss(self, scores: Scores, labels: tuple[Tensor, ...], items: Items) -> Tensor:
        shifted = F.pad(labels[0], (0, 1), value=IGNORED)[..., 1:]
        return super().loss(scores, (shifted,), items)


class Seq2SeqLMHead(LanguageModelHead[Seq2SeqLMSpec]):
    """The token of the output at each position; the decoder's inputs stand one to the right of the labels."""

    output_class = Seq2SeqLMOutput


register_head_class(MaskedLMSpec, MaskedLMHead)
register_head_class(CausalLMSpec, CausalLMHead)
register_head_class(Seq2SeqLMSpec, Seq2SeqLMHead)
