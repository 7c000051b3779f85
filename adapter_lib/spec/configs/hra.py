"""HRA (Yuan et al. 2024, https://arxiv.org/abs/2405.17484): Householder reflections in front of a map."""

from dataclasses import dataclass
from typing import ClassVar

from adapter_lib.spec.configs.base import Place, Shapes
from adapter_lib.spec.configs.checks import check_whole, refuse
from adapter_lib.spec.configs.registry import register_config
from adapter_lib.spec.configs.targeted import TargetedConfig


@dataclass(frozen=True, eq=False, kw_only=True)
class HRAConfig(TargetedConfig):
    """y = W R x + b with R = H₁ H₂ … H_r and H_i = I - 2 u_i u_iᵀ / ‖u_i‖².

    r: the number of reflections, even: they start in equal pairs, whose product is the identity.
    """

    method: ClassVar[str] = "hra"

    r: int = 8

    def __post_init__(self) -> None:
        super().__post_init__()
        check_whole(self, "r", 2)
        if self.r % 2:
            raise refuse(self, "r", "an even number")

    def name(self) -> str:
        return "hra"

    def size(self) -> int:
        return self.r

    def map_shapes(self, place: Place) -> Shapes:
        return {"u": (self.r, place.width_in)}


register_config(HRAConfig, presets={"hra": HRAConfig})
