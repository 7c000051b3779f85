"""HiRA (Huang et al. 2025, https://openreview.net/forum?id=TwJrTz9cRS): a high rank from two low ones."""

from dataclasses import dataclass
from typing import ClassVar

from adapter_lib.spec.configs.base import Place, Shapes
from adapter_lib.spec.configs.checks import check_whole
from adapter_lib.spec.configs.registry import register_config
from adapter_lib.spec.configs.targeted import TargetedConfig


@dataclass(frozen=True, eq=False, kw_only=True)
class HiRAConfig(TargetedConfig):
    """ΔW = W ⊙ (B A), with W the map's own weight, B [out, r], A [r, in]."""

    method: ClassVar[str] = "hira"

    r: int = 32

    def __post_init__(self) -> None:
        super().__post_init__()
        check_whole(self, "r", 1)

    def name(self) -> str:
        return "hira"

    def size(self) -> int:
        return self.r

    def decisive(self) -> tuple[str, ...]:
        return ("b",)

    def map_shapes(self, place: Place) -> Shapes:
        return {"a": (self.r, place.width_in), "b": (place.width_out, self.r)}


register_config(HiRAConfig, presets={"hira": HiRAConfig})
