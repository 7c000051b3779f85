"""Heads that give a score to every token of the vocabulary."""

from dataclasses import dataclass
from typing import ClassVar, Self

from adapter_lib.spec.fields import Fields
from adapter_lib.spec.heads.base import HeadSpec, Shape
from adapter_lib.spec.heads.linears import ACTIVATIONS
from adapter_lib.spec.heads.registry import register_head

_MOST = 10_000_000


@dataclass(frozen=True)
class LanguageModelSpec(HeadSpec):
    """Scores over a vocabulary.

    tied: the output embeddings are the model's input embeddings; the head has none of its own.
    width: of the output embeddings; None: the model's hidden size.
    transform: a linear map to that width, the activation and a LayerNorm stand in front of them.
    scale: what the state is multiplied by in front of them.
    use_bias: every token of the vocabulary has a bias.
    """

    vocab_size: int = 0
    tied: bool = True
    width: int | None = None
    transform: bool = False
    activation: str = "gelu"
    norm_eps: float = 1e-12
    scale: float = 1.0
    use_bias: bool = False

    def shapes(self, hidden_size: int) -> dict[str, Shape]:
        width = self.width or hidden_size
        found: dict[str, Shape] = {}
        if self.transform:
            found |= {"transform.weight": (width, hidden_size), "transform.bias": (width,)}
            found |= {"norm.weight": (width,), "norm.bias": (width,)}
        if not self.tied:
            found["decoder.weight"] = (self.vocab_size, width)
        if self.use_bias:
            found["decoder.bias"] = (self.vocab_size,)
        return found

    @classmethod
    def read(cls, given: Fields) -> Self:
        return cls(
            labels=given.texts("labels", 0, 0),
            vocab_size=given.integer("vocab_size", 1, _MOST),
            tied=given.flag("tied"),
            width=given.integer_or_none("width", 1, 1_000_000),
            transform=given.flag("transform"),
            activation=given.choice("activation", ACTIVATIONS),
            norm_eps=given.number("norm_eps", 0.0, 1.0),
            scale=given.number("scale", -1e6, 1e6),
            use_bias=given.flag("use_bias"),
        )


@dataclass(frozen=True)
class MaskedLMSpec(LanguageModelSpec):
    """The token that stood at a position."""

    transform: bool = True
    use_bias: bool = True

    type: ClassVar[str] = "masked_lm"


@dataclass(frozen=True)
class CausalLMSpec(LanguageModelSpec):
    """The next token."""

    type: ClassVar[str] = "causal_lm"


@dataclass(frozen=True)
class Seq2SeqLMSpec(LanguageModelSpec):
    """The next token of the output."""

    type: ClassVar[str] = "seq2seq_lm"


for _spec in (MaskedLMSpec, CausalLMSpec, Seq2SeqLMSpec):
    register_head(_spec)
