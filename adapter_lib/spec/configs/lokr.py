"""LoKr: an update that is a Kronecker product (Yeh et al. 2023, LyCORIS, https://arxiv.org/abs/2309.14859)."""

from dataclasses import dataclass
from math import isqrt, prod
from typing import ClassVar

from adapter_lib.spec.configs.base import Place, Shapes
from adapter_lib.spec.configs.checks import check_flags, check_whole, refuse
from adapter_lib.spec.configs.registry import register_config
from adapter_lib.spec.configs.scaled import ScaledConfig


@dataclass(frozen=True, eq=False, kw_only=True)
class LoKrConfig(ScaledConfig):
    """ΔW = alpha / r · C ⊗ D, C [out₁, in₁], D [out₂, in₂] with out = out₁ · out₂ and in = in₁ · in₂.

    D = B A of rank r where r is less than half its larger side, else a full matrix; a convolution's kernel is
    part of D. C is full.
    factor: how large out₁ and in₁ are: the largest divisor that is no larger than this and than the other
        factor; -1: as near to the square root as can be.
    decompose_both: C too is of rank r where r is less than half its larger side.
    """

    method: ClassVar[str] = "lokr"
    kinds: ClassVar[tuple[str, ...]] = ("linear", "conv")

    factor: int = -1
    decompose_both: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        check_flags(self, "decompose_both")
        check_whole(self, "factor", -1)
        if self.factor == 0:
            raise refuse(self, "factor", "-1 or a whole number of at least 1")

    def name(self) -> str:
        return "lokr"

    def map_shapes(self, place: Place) -> Shapes:
        (out1, out2), (in1, in2) = self.split(place.width_out), self.split(place.width_in)
        left: Shapes = {"c": (out1, in1)}
        if self.decompose_both and self._is_low(out1, in1):
            left = {"c_a": (self.r, in1), "c_b": (out1, self.r)}
        in2 *= prod(place.extent)
        right: Shapes = {"d": (out2, in2)}
        if self._is_low(out2, in2):
            right = {"d_a": (self.r, in2), "d_b": (out2, self.r)}
        return left | right

    def split(self, width: int) -> tuple[int, int]:
        """(small, large), whose product is the width."""
        if self.factor > 0 and width % self.factor == 0:
            small = min(self.factor, width // self.factor)
        else:
            limit = isqrt(width) if self.factor < 0 else min(self.factor, isqrt(width))
            small = next(number for number in range(limit, 0, -1) if width % number == 0)
        return small, width // small

    def _is_low(self, rows: int, columns: int) -> bool:
        return 2 * self.r < max(rows, columns)


register_config(LoKrConfig, presets={"lokr": LoKrConfig})
