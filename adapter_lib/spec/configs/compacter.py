"""Compacter and Compacter++ (Karimi Mahabadi et al. 2021, https://arxiv.org/abs/2106.04647)."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from adapter_lib.spec.configs.base import Place, Shapes
from adapter_lib.spec.configs.bottleneck import BnConfig
from adapter_lib.spec.configs.checks import check_choice, check_flags, check_positive, check_whole, refuse
from adapter_lib.spec.configs.per_layer import PerLayer
from adapter_lib.spec.configs.registry import register_config
from adapter_lib.spec.errors import ConfigError

RULE_INITS = ("normal", "uniform")
WEIGHT_INITS = ("glorot-uniform", "glorot-normal", "normal")


@dataclass(frozen=True, eq=False, kw_only=True)
class CompacterConfig(BnConfig):
    """A bottleneck whose maps are sums of Kronecker products: y = x H + b (PHM, Zhang et al. 2021,
    https://arxiv.org/abs/2102.08597).

        H = Σ_i A_i ⊗ B_i, i = 1 … n, with A_i [n, n] and B_i = L_i R_i, L_i [in/n, k], R_i [k, out/n]

    phm_dim: n; it must divide the model's width, and the bottleneck's is rounded up to a multiple of it.
    phm_rank: k. factorized_phm_W: False makes B_i [in/n, out/n] free instead.
    factorized_phm_rule: A_i = l_i r_i with l_i [n, 1], r_i [1, n] instead of free.
    shared_phm_rule: all maps of the adapter have the same A; else each has its own.
    shared_W_phm: all down maps have the same B, and so have all up maps; their sizes must be equal.
    learn_phm: False keeps A as it starts.
    phm_bias: False leaves b out.
    phm_c_init, phm_init_range: how A starts: "normal" (standard deviation phm_init_range) or "uniform" in ±1.
    hypercomplex_nonlinearity: how B (or L and R) starts: "glorot-uniform", "glorot-normal" or "normal"
        (standard deviation 0.01). The name is the one that the `adapters` library gave it.
    """

    method: ClassVar[str] = "compacter"

    mh_adapter: bool = True
    output_adapter: bool = True
    reduction_factor: "float | PerLayer | Mapping[str | int, float]" = 32.0
    non_linearity: str = "gelu"
    phm_dim: int = 4
    phm_rank: int = 1
    factorized_phm_W: bool = True  # noqa: N815  (the name that users of `adapters` know)
    factorized_phm_rule: bool = False
    shared_phm_rule: bool = True
    shared_W_phm: bool = False  # noqa: N815  (the name that users of `adapters` know)
    learn_phm: bool = True
    phm_bias: bool = True
    phm_c_init: str = "normal"
    phm_init_range: float = 0.0001
    hypercomplex_nonlinearity: str = "glorot-uniform"

    def __post_init__(self) -> None:
        super().__post_init__()
        check_whole(self, "phm_dim", 1)
        check_whole(self, "phm_rank", 1)
        check_flags(self, "factorized_phm_W", "factorized_phm_rule", "shared_phm_rule", "shared_W_phm")
        check_flags(self, "learn_phm", "phm_bias")
        check_choice(self, "phm_c_init", RULE_INITS)
        check_choice(self, "hypercomplex_nonlinearity", WEIGHT_INITS)
        check_positive(self, "phm_init_range")
        if self.init_weights != "bert":
            raise refuse(self, "init_weights", "left alone: phm_c_init and hypercomplex_nonlinearity say it")

    def presets(self) -> Mapping[str, type[BnConfig]]:
        return PRESETS

    def map_shapes(self, place: Place) -> Shapes:
        found: Shapes = {}
        for name, (width_in, width_out) in self._maps(place).items():
            if not self.shared_phm_rule:
                found |= {f"{name}.{key}": shape for key, shape in self._rule_shapes().items()}
            if not self.shared_W_phm:
                found |= {f"{name}.{key}": shape for key, shape in self._weights(width_in, width_out).items()}
            if self.phm_bias:
                found[f"{name}.bias"] = (width_out,)
        return found

    def shared_shapes(self, places: Sequence[Place]) -> Shapes:
        """A, and with shared_W_phm the B of down and up. Raises ConfigError where sizes must be equal."""
        found = self._rule_shapes() if self.shared_phm_rule else {}
        if not self.shared_W_phm:
            return found
        maps = self._maps(places[0])
        if any(self._maps(place) != maps for place in places[1:]):
            raise ConfigError(
                "shared_W_phm needs bottlenecks of one size, and on this backbone they have several; "
                "use one reduction_factor for all layers, or leave shared_W_phm out."
            )
        for name, (width_in, width_out) in maps.items():
            found |= {f"{name}.{key}": shape for key, shape in self._weights(width_in, width_out).items()}
        return found

    def inner_width(self, place: Place) -> int:
        return math.ceil(super().inner_width(place) / self.phm_dim) * self.phm_dim

    def _maps(self, place: Place) -> dict[str, tuple[int, int]]:
        """down and up → (in, out)."""
        width, inner = place.width_out, self.inner_width(place)
        if width % self.phm_dim:
            raise ConfigError(f"phm_dim={self.phm_dim} must divide the model's width, and that is {width}.")
        return {"down": (width, inner), "up": (inner, width)}

    def _rule_shapes(self) -> Shapes:
        n = self.phm_dim
        if self.factorized_phm_rule:
            return {"rule_left": (n, n, 1), "rule_right": (n, 1, n)}
        return {"rule": (n, n, n)}

    def _weights(self, width_in: int, width_out: int) -> Shapes:
        n, k = self.phm_dim, self.phm_rank
        if self.factorized_phm_W:
            return {"left": (n, width_in // n, k), "right": (n, k, width_out // n)}
        return {"weight": (n, width_in // n, width_out // n)}


@dataclass(frozen=True, eq=False, kw_only=True)
class CompacterPlusPlusConfig(CompacterConfig):
    """Compacter++: after the feed-forward block only."""

    mh_adapter: bool = False
    original_ln_before: bool = True


PRESETS: dict[str, type[BnConfig]] = {"compacter": CompacterConfig, "compacter++": CompacterPlusPlusConfig}

register_config(CompacterConfig, presets=PRESETS, aliases={"compacterplusplus": "compacter++"})
