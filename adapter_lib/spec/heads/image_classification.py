"""One class per image."""

from dataclasses import dataclass
from typing import ClassVar, Self

from adapter_lib.spec.fields import Fields
from adapter_lib.spec.heads.base import Shape, read_labels
from adapter_lib.spec.heads.linears import ACTIVATIONS, MAX_LAYERS, PooledSpec
from adapter_lib.spec.heads.registry import register_head


@dataclass(frozen=True)
class ImageClassificationSpec(PooledSpec):
    """One class per image, out of `labels`.

    pooling: "cls", "mean" over all positions, or "patches", the mean over all but the first.
    norm_eps: of a LayerNorm behind the pooling, as in BEiT; None: there is none.
    """

    pooling: str = "cls"
    norm_eps: float | None = None

    type: ClassVar[str] = "image_classification"
    POOLINGS: ClassVar[tuple[str, ...]] = ("cls", "mean", "patches")

    def shapes(self, hidden_size: int) -> dict[str, Shape]:
        norm = {} if self.norm_eps is None else {"norm.weight": (hidden_size,), "norm.bias": (hidden_size,)}
        return {**super().shapes(hidden_size), **norm}

    @classmethod
    def read(cls, given: Fields) -> Self:
        return cls(
            labels=read_labels(given),
            pooling=given.choice("pooling", cls.POOLINGS),
            layers=given.integer("layers", 1, MAX_LAYERS),
            activation=given.choice("activation", ACTIVATIONS),
            dropout=given.number("dropout", 0.0, 1.0),
            use_bias=given.flag("use_bias"),
            norm_eps=given.number_or_none("norm_eps", 0.0, 1.0),
        )


register_head(ImageClassificationSpec)
