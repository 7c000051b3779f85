"""What every head does: scores from hidden states, a loss from scores, an output of both."""

import dataclasses
from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar, Generic, TypeVar

import torch
from torch import Tensor, nn
from transformers.utils.generic import ModelOutput

from adapter_lib.heads.given import Given
from adapter_lib.spec.heads import HeadSpec

S = TypeVar("S", bound=HeadSpec)
Scores = tuple[Tensor, ...]
Items = Tensor | int | None


class Head(nn.Module, ABC, Generic[S]):
    """A prediction head over hidden states [B, S, d].

    label_names: the arguments of a call that are its labels. input_names: further ones that it reads.
    score_names: what the output calls the scores. output_class: of transformers, and the one for models with
    an encoder and a decoder.
    """

    label_names: ClassVar[tuple[str, ...]] = ("labels",)
    input_names: ClassVar[tuple[str, ...]] = ()
    score_names: ClassVar[tuple[str, ...]] = ("logits",)
    output_class: ClassVar[type[ModelOutput]]
    seq2seq_output_class: ClassVar[type[ModelOutput] | None] = None
    # Scores of the last positions are enough where a call asks for them (`logits_to_keep`).
    is_per_position: ClassVar[bool] = False

    def __init__(self, spec: S, hidden_size: int, like: Tensor) -> None:
        """Make the head with starting values, of the dtype and on the device of `like`."""
        super().__init__()
        self.spec = spec
        self.hidden_size = hidden_size

    def forward(self, hidden: Tensor, given: Given | Tensor | None = None) -> Any:
        """The scores: a tensor, or a tuple of them. given: a bare tensor is the mask."""
        call = given if isinstance(given, Given) else Given(mask=given)
        found = self.scores(hidden, call)
        return found[0] if len(found) == 1 else found

    @abstractmethod
    def scores(self, hidden: Tensor, given: Given) -> Scores:
        """One tensor per name in `score_names`, from hidden states [B, S, d]."""

    @abstractmethod
    def loss(self, scores: Scores, labels: tuple[Tensor, ...], items: Items) -> Tensor:
        """The loss for one tensor per name in `label_names`: a mean, or the sum over a Trainer's `items`."""

    def output(self, loss: Tensor | None, scores: Scores, base: Mapping[str, Any]) -> ModelOutput:
        """The scores in a class of transformers, with what the model itself gave."""
        is_seq2seq = "encoder_last_hidden_state" in base
        kind = (is_seq2seq and self.seq2seq_output_class) or self.output_class
        own = {"loss": loss, **dict(zip(self.score_names, scores, strict=True))}
        names = [field.name for field in dataclasses.fields(kind)]  # type: ignore[arg-type]
        return kind(**own, **{name: base[name] for name in names if name not in own and name in base})


def parameter(like: Tensor, *shape: int) -> nn.Parameter:
    """A parameter of zeros."""
    return nn.Parameter(torch.zeros(shape, device=like.device, dtype=like.dtype))
