"""What the configs of learned composition blocks have in common."""

from dataclasses import dataclass
from typing import ClassVar

from adapter_lib.spec.configs.base import Aim, MethodConfig, Place, Shapes
from adapter_lib.spec.configs.checks import check_gating, refuse
from adapter_lib.spec.errors import ConfigError

# Places whose values are vectors of one width per token; what the block learns is said in such vectors.
_KINDS = ("linear", "embedding", "norm", "attention", "site", "middle", "layer", "embed", "head")


@dataclass(frozen=True, eq=False, kw_only=True)
class BlockConfig(MethodConfig):
    """Base of the configs of Fuse and Route: they describe parameters of a block, not of an adapter.

    `leave_out`, `use_gating` and `gate_over_padding` stay at their defaults: the block acts wherever one of
    its adapters does.
    """

    # The composition block, and how its parameters are added.
    block: ClassVar[str]
    added_by: ClassVar[str]
    # Tensors that hold whole numbers.
    counted: ClassVar[tuple[str, ...]] = ()

    def __post_init__(self) -> None:
        if self.leave_out not in ((), []):
            raise refuse(self, "leave_out", "empty: the block acts wherever one of its adapters does")
        if self.use_gating is not False:
            raise refuse(self, "use_gating", "false: gates belong to adapters")
        check_gating(self)
        object.__setattr__(self, "leave_out", ())

    def aims(self) -> tuple[Aim, ...]:
        raise ConfigError(
            f"{self.name()} describes a {self.block}, which is no adapter: {self.added_by}() adds one."
        )

    def roles(self) -> tuple[str, ...]:
        return ()

    def shapes(self, place: Place) -> Shapes:
        raise ConfigError(f"{self.name()} has tensors per {self.block}, not per adapter.")

    def check_place(self, place: Place) -> None:
        """Raises ConfigError for a place whose values are not one vector per token."""
        if place.kind not in _KINDS:
            raise ConfigError(
                f"A {self.block} combines vectors, one per token; {place.role} is of the kind {place.kind}: "
                "use Average, Parallel or BatchSplit for the adapters there."
            )
