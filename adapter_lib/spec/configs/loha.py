"""LoHa: an update that is the entrywise product of two low-rank ones.

Hyeon-Woo et al. 2021 (FedPara, https://arxiv.org/abs/2108.06098); Yeh et al. 2023 (LyCORIS,
https://arxiv.org/abs/2309.14859).
"""

from dataclasses import dataclass
from math import prod
from typing import ClassVar

from adapter_lib.spec.configs.base import Place, Shapes
from adapter_lib.spec.configs.registry import register_config
from adapter_lib.spec.configs.scaled import ScaledConfig


@dataclass(frozen=True, eq=False, kw_only=True)
class LoHaConfig(ScaledConfig):
    """ΔW = alpha / r · (B₁ A₁) ⊙ (B₂ A₂), with B [out, r] and A [r, in]: of rank r² at most.

    A convolution's kernel counts as part of `in`.
    """

    method: ClassVar[str] = "loha"
    kinds: ClassVar[tuple[str, ...]] = ("linear", "conv")

    def name(self) -> str:
        return "loha"

    def map_shapes(self, place: Place) -> Shapes:
        width = place.width_in * prod(place.extent)
        down, up = (self.r, width), (place.width_out, self.r)
        return {"a1": down, "b1": up, "a2": down, "b2": up}


register_config(LoHaConfig, presets={"loha": LoHaConfig})
