"""AdaLoRA (Zhang et al. 2023, https://arxiv.org/abs/2303.10512): ranks are shared out while training."""

from dataclasses import dataclass
from typing import ClassVar

from adapter_lib.spec.configs.base import Place, Shapes
from adapter_lib.spec.configs.checks import (
    check_not_negative,
    check_positive,
    check_probability,
    check_whole,
    refuse,
)
from adapter_lib.spec.configs.registry import register_config
from adapter_lib.spec.configs.targeted import TargetedConfig


@dataclass(frozen=True, eq=False, kw_only=True)
class AdaLoRAConfig(TargetedConfig):
    """ΔW = s · P Λ Q, with P [out, r], Λ diagonal [r], Q [r, in] and s = alpha / init_r.

    The loss gets orth_reg · Σ (‖PᵀP - I‖²_F + ‖Q Qᵀ - I‖²_F) (equation 4 of the paper, over all places).
    init_r, target_r: the mean rank per place at first and at the end. Entries of Λ that matter least are set
        to zero: with b = init_r · places at first and target_r · places at the end, step t keeps
        b(t) = b_end + (b_first - b_end) · (1 - (t - tinit) / (total - tinit - tfinal))³ of them.
    tinit, tfinal: steps at the start without pruning and at the end with the choice fixed.
    delta_t: steps between two choices.
    beta1, beta2: how slowly the means of sensitivity and of its uncertainty follow.
    `adapter_lib.training.AdaLoRACallback` or `RankAllocator` does the choosing; without them all ranks stay.
    """

    method: ClassVar[str] = "adalora"

    init_r: int = 12
    target_r: int = 8
    alpha: float = 16.0
    dropout: float = 0.0
    orth_reg: float = 0.5
    tinit: int = 0
    tfinal: int = 0
    delta_t: int = 1
    beta1: float = 0.85
    beta2: float = 0.85

    def __post_init__(self) -> None:
        super().__post_init__()
        for field in ("init_r", "target_r", "delta_t"):
            check_whole(self, field, 1)
        check_whole(self, "tinit", 0)
        check_whole(self, "tfinal", 0)
        check_positive(self, "alpha")
        check_not_negative(self, "orth_reg")
        for field in ("dropout", "beta1", "beta2"):
            check_probability(self, field)
        if self.target_r > self.init_r:
            raise refuse(self, "target_r", f"at most init_r ({self.init_r})")

    @property
    def scale(self) -> float:
        """s of the equation above."""
        return self.alpha / self.init_r

    def name(self) -> str:
        return "adalora"

    def size(self) -> int:
        return self.target_r

    def decisive(self) -> tuple[str, ...]:
        return ("singular",)

    def map_shapes(self, place: Place) -> Shapes:
        r = self.init_r
        return {"p": (place.width_out, r), "singular": (r,), "q": (r, place.width_in)}


register_config(AdaLoRAConfig, presets={"adalora": AdaLoRAConfig})
