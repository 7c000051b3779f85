"""Norm tuning (Zhao et al. 2023, https://arxiv.org/abs/2312.11420): the norms' weights and biases."""

from dataclasses import dataclass
from typing import ClassVar

from adapter_lib.spec.configs.base import Aim, MethodConfig, Place, Shapes
from adapter_lib.spec.configs.checks import check_choice, check_gating, check_layer_ids
from adapter_lib.spec.configs.registry import register_config
from adapter_lib.spec.errors import ConfigError
from adapter_lib.spec.roles import NORM_ROLE


@dataclass(frozen=True, eq=False, kw_only=True)
class NormTuningConfig(MethodConfig):
    """y = x̂ ⊙ (w + Δw) + b + Δb at every norm of the layers and at the one behind the last layer.

    bias: "existing": Δb where the norm has a bias; "all": everywhere (a norm without one cannot be merged);
        none: Δw alone.
    """

    method: ClassVar[str] = "norm_tuning"
    measure: ClassVar[str] = ""

    bias: str | None = "existing"

    def __post_init__(self) -> None:
        check_gating(self)
        check_layer_ids(self, "leave_out")
        check_choice(self, "bias", ("existing", "all", None))

    def name(self) -> str:
        return "norm_tuning"

    def aims(self) -> tuple[Aim, ...]:
        return (Aim("norms", (f"{NORM_ROLE}.*", NORM_ROLE)),)

    def size(self) -> int:
        """Whether biases are trained: 2 kinds of tensors or 1."""
        return 1 if self.bias is None else 2

    def decisive(self) -> tuple[str, ...]:
        return ("weight", "bias")

    def shapes(self, place: Place) -> Shapes:
        if place.kind != "norm":
            raise ConfigError(f"norm_tuning trains norms, and {place.role} is of the kind {place.kind}.")
        has_bias = self.bias == "all" or (self.bias == "existing" and place.has_bias)
        weight: Shapes = {"weight": (place.width_out,)}
        return weight | {"bias": (place.width_out,)} if has_bias else weight


register_config(
    NormTuningConfig, presets={"norm_tuning": NormTuningConfig}, aliases={"ln_tuning": "norm_tuning"}
)
