"""One class per row."""

from dataclasses import dataclass
from typing import ClassVar, Self

from adapter_lib.spec.fields import Fields
from adapter_lib.spec.heads.base import read_labels
from adapter_lib.spec.heads.linears import MAX_LAYERS, PooledSpec
from adapter_lib.spec.heads.registry import register_head


@dataclass(frozen=True)
class ClassificationSpec(PooledSpec):
    """One class per row, out of `labels`."""

    type: ClassVar[str] = "classification"
    SINCE_VERSION: ClassVar[int] = 1
    ADDED_LATER: ClassVar[tuple[str, ...]] = ("use_bias",)

    @classmethod
    def read(cls, given: Fields) -> Self:
        # Files of version 1 may lack what has a default here, and say an activation that nobody knows.
        return cls(
            labels=read_labels(given),
            pooling=given.choice("pooling", cls.POOLINGS),
            layers=given.integer("layers", 1, MAX_LAYERS),
            activation=given.text("activation") if "activation" in given else "tanh",
            dropout=given.number("dropout", 0.0, 1.0) if "dropout" in given else 0.0,
            use_bias=given.flag("use_bias") if "use_bias" in given else True,
        )


register_head(ClassificationSpec)
