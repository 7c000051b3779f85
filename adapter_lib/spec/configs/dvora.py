"""DVoRA: DoRA's magnitude over VeRA's direction (Liu et al. 2024, https://arxiv.org/abs/2402.09353)."""

from dataclasses import dataclass
from typing import ClassVar

from adapter_lib.spec.configs.base import Place, Shapes
from adapter_lib.spec.configs.registry import register_config
from adapter_lib.spec.configs.vera import VeRAConfig


@dataclass(frozen=True, eq=False, kw_only=True)
class DVoRAConfig(VeRAConfig):
    """W' = m ⊙ V / ‖V‖, V = W + diag(b) B diag(d) A: `DoRAConfig` tells m and ‖V‖, `VeRAConfig` the rest."""

    method: ClassVar[str] = "dvora"

    def map_shapes(self, place: Place) -> Shapes:
        return super().map_shapes(place) | {"magnitude": (place.width_out,)}


register_config(DVoRAConfig, presets={"dvora": DVoRAConfig})
