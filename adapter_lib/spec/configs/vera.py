"""VeRA (Kopiczko et al. 2023, https://arxiv.org/abs/2310.11454): vectors between shared random matrices."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from adapter_lib.spec.configs.base import Place, Shapes
from adapter_lib.spec.configs.checks import check_positive, check_probability, check_whole
from adapter_lib.spec.configs.registry import register_config
from adapter_lib.spec.configs.targeted import TargetedConfig


@dataclass(frozen=True, eq=False, kw_only=True)
class VeRAConfig(TargetedConfig):
    """h = W x + b ⊙ (B (d ⊙ (A dropout(x)))), with d [r] and b [out] learned.

    A [r, in] and B [out, r] are random, never trained, and the same at all places: a place takes the first
    columns of A and the first rows of B that it needs. They are saved with the adapter.

    r: 256, what the paper takes for the large model; more costs only r numbers per place.
    d_initial: where d starts; b starts at zero.
    seed: of A and B.
    """

    method: ClassVar[str] = "vera"

    r: int = 256
    dropout: float = 0.0
    d_initial: float = 0.1
    seed: int = 0

    def __post_init__(self) -> None:
        super().__post_init__()
        check_whole(self, "r", 1)
        check_probability(self, "dropout")
        check_positive(self, "d_initial")
        check_whole(self, "seed", 0)

    def name(self) -> str:
        return self.method

    def size(self) -> int:
        return self.r

    def decisive(self) -> tuple[str, ...]:
        return ("vera_b",)

    def map_shapes(self, place: Place) -> Shapes:
        return {"vera_d": (self.r,), "vera_b": (place.width_out,)}

    def shared_shapes(self, places: Sequence[Place]) -> Shapes:
        width_in, width_out = max(p.width_in for p in places), max(p.width_out for p in places)
        return {"vera_a": (self.r, width_in), "vera_b": (width_out, self.r)}


register_config(VeRAConfig, presets={"vera": VeRAConfig})
