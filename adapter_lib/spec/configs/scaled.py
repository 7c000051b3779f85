"""What the configs of additive updates of rank r have in common."""

from dataclasses import dataclass

from adapter_lib.spec.configs.checks import check_positive, check_whole
from adapter_lib.spec.configs.targeted import TargetedConfig


@dataclass(frozen=True, eq=False, kw_only=True)
class ScaledConfig(TargetedConfig):
    """Base of updates that are multiplied by alpha / r."""

    r: int = 8
    alpha: float = 8.0

    def __post_init__(self) -> None:
        super().__post_init__()
        check_whole(self, "r", 1)
        check_positive(self, "alpha")

    @property
    def scale(self) -> float:
        """alpha / r."""
        return self.alpha / self.r

    def size(self) -> int:
        return self.r
