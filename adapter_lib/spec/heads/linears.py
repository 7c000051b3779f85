"""Heads that are linear maps one after the other, over a pooled state or over every token."""

from dataclasses import dataclass
from typing import ClassVar, Self

from adapter_lib.spec.fields import Fields
from adapter_lib.spec.heads.base import HeadSpec, Shape, read_labels

# "eos": the last end token of the input, as in BART (Lewis et al. 2020, https://arxiv.org/abs/1910.13461).
POOLINGS = ("cls", "mean", "last", "eos")
ACTIVATIONS = ("tanh", "relu", "gelu", "gelu_new", "silu")
MAX_LAYERS = 100


class LinearSpec(HeadSpec):
    """`layers` linear maps `0`, `1` …, a dropout before each, the activation between them.

    The fields stand in the subclasses, whose order is that in files.
    """

    layers: int
    activation: str
    dropout: float
    use_bias: bool

    LEAST_LABELS: ClassVar[int] = 1

    def outputs(self) -> int:
        """How many scores the last map gives."""
        return len(self.labels)

    def shapes(self, hidden_size: int) -> dict[str, Shape]:
        widths = [hidden_size] * self.layers + [self.outputs()]
        found: dict[str, Shape] = {}
        for i in range(self.layers):
            found[f"{i}.weight"] = (widths[i + 1], widths[i])
            if self.use_bias or i < self.layers - 1:
                found[f"{i}.bias"] = (widths[i + 1],)
        return found


@dataclass(frozen=True)
class PooledSpec(LinearSpec):
    """Linear maps over one state per row.

    pooling: which: "cls" the first, "mean", "last" the last that is no padding, "eos" the last end token's.
    use_bias: of the last map.
    """

    labels: tuple[str, ...] = ()
    pooling: str = "mean"
    layers: int = 1
    activation: str = "tanh"
    dropout: float = 0.0
    use_bias: bool = True

    POOLINGS: ClassVar[tuple[str, ...]] = POOLINGS

    @classmethod
    def read(cls, given: Fields) -> Self:
        return cls(
            labels=read_labels(given, cls.LEAST_LABELS),
            pooling=given.choice("pooling", cls.POOLINGS),
            layers=given.integer("layers", 1, MAX_LAYERS),
            activation=given.choice("activation", ACTIVATIONS),
            dropout=given.number("dropout", 0.0, 1.0),
            use_bias=given.flag("use_bias"),
        )


@dataclass(frozen=True)
class TokenSpec(LinearSpec):
    """Linear maps over every token's state. use_bias: of the last map."""

    labels: tuple[str, ...] = ()
    layers: int = 1
    activation: str = "tanh"
    dropout: float = 0.0
    use_bias: bool = True

    @classmethod
    def read(cls, given: Fields) -> Self:
        return cls(
            labels=read_labels(given, cls.LEAST_LABELS),
            layers=given.integer("layers", 1, MAX_LAYERS),
            activation=given.choice("activation", ACTIVATIONS),
            dropout=given.number("dropout", 0.0, 1.0),
            use_bias=given.flag("use_bias"),
        )
