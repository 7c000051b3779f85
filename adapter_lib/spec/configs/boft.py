"""BOFT (Liu et al. 2024, https://arxiv.org/abs/2311.06243): a rotation of butterfly factors before a map."""

from dataclasses import dataclass
from typing import ClassVar

from adapter_lib.spec.configs.base import Place, Shapes
from adapter_lib.spec.configs.block_width import block_width
from adapter_lib.spec.configs.checks import check_flags, check_whole, refuse
from adapter_lib.spec.configs.registry import register_config
from adapter_lib.spec.configs.targeted import TargetedConfig
from adapter_lib.spec.errors import ConfigError


@dataclass(frozen=True, eq=False, kw_only=True)
class BOFTConfig(TargetedConfig):
    """y = s ⊙ W R x + b with R = B_m … B₂ B₁, every B_i block-diagonal and orthogonal after a permutation.

    The inputs stand in groups of half a block; B_i turns together what stands in two groups that are 2^(i-1)
    groups apart, as in a fast Fourier transform. With one factor this is OFT.
    block_size: the width of the blocks, even, a divisor of the map's input.
    n_butterfly: m. The input must be a multiple of block_size · 2^(m-1).
    rescale: learn s, a factor for every output; else s = 1.
    """

    method: ClassVar[str] = "boft"
    measure: ClassVar[str] = "block"

    block_size: int = 4
    n_butterfly: int = 1
    rescale: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        check_whole(self, "block_size", 2)
        check_whole(self, "n_butterfly", 1)
        check_flags(self, "rescale")
        if self.block_size % 2:
            raise refuse(self, "block_size", "an even number")

    def name(self) -> str:
        return "boft"

    def size(self) -> int:
        return self.block_size

    def map_shapes(self, place: Place) -> Shapes:
        width = block_width("boft", place, self.block_size, 0)
        span = width * 2 ** (self.n_butterfly - 1)
        if place.width_in % span:
            raise ConfigError(
                f"boft: {self.n_butterfly} factors of blocks of {width} need an input that is a multiple of "
                f"{span}, and {place.role} has {place.width_in}; take a smaller n_butterfly."
            )
        turns: Shapes = {"skew": (self.n_butterfly, place.width_in // width, width * (width - 1) // 2)}
        return turns | {"factor": (place.width_out,)} if self.rescale else turns


register_config(BOFTConfig, presets={"boft": BOFTConfig})
