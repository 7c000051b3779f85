"""OFT (Qiu et al. 2023, https://arxiv.org/abs/2306.07280): a block-diagonal rotation before a map."""

from dataclasses import dataclass
from typing import ClassVar

from adapter_lib.spec.configs.base import Place, Shapes
from adapter_lib.spec.configs.block_width import block_width
from adapter_lib.spec.configs.checks import check_flags, check_positive, check_whole, refuse
from adapter_lib.spec.configs.registry import register_config
from adapter_lib.spec.configs.targeted import TargetedConfig


@dataclass(frozen=True, eq=False, kw_only=True)
class OFTConfig(TargetedConfig):
    """y = W R x + b, R = diag(R₁, R₂ …), R_i = (I + Q_i) (I - Q_i)⁻¹ orthogonal (Cayley), Q_iᵀ = -Q_i.

    block_size: the width of every R_i, a divisor of the map's input. blocks: how many there are instead; 0
        leaves it to block_size.
    block_share: one R_i for all blocks.
    coft: keep R near the identity: ‖Q_i‖_F is at most eps (constrained OFT).
    neumann_terms: take the first terms of (I - Q_i)⁻¹ = I + Q_i + Q_i² + … instead of the inverse (Qiu et al.
        2025, https://arxiv.org/abs/2506.19847): faster, and near a rotation only while Q_i is small. 0 takes
        the inverse; 4 is what PEFT computes by default.
    """

    method: ClassVar[str] = "oft"
    measure: ClassVar[str] = "block"

    block_size: int = 32
    blocks: int = 0
    block_share: bool = False
    coft: bool = False
    eps: float = 1e-3
    neumann_terms: int = 0

    def __post_init__(self) -> None:
        super().__post_init__()
        check_flags(self, "block_share", "coft")
        check_whole(self, "block_size", 2)
        check_whole(self, "blocks", 0)
        check_positive(self, "eps")
        check_whole(self, "neumann_terms", 0)
        if self.blocks and self.block_size != OFTConfig.block_size:
            raise refuse(self, "blocks", "0 where block_size is given: one follows from the other")

    def name(self) -> str:
        return "oft"

    def size(self) -> int:
        return self.blocks or self.block_size

    def decisive(self) -> tuple[str, ...]:
        return ("skew",)

    def map_shapes(self, place: Place) -> Shapes:
        width = block_width("oft", place, self.block_size, self.blocks)
        count = 1 if self.block_share else place.width_in // width
        return {"skew": (count, width * (width - 1) // 2)}


register_config(OFTConfig, presets={"oft": OFTConfig})
