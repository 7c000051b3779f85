"""Bottleneck adapters.

Houlsby 2019 (https://arxiv.org/abs/1902.00751), Pfeiffer 2020 (https://arxiv.org/abs/2005.00052), the
parallel one of He et al. 2021 (https://arxiv.org/abs/2110.04366) and Adapter+ of Steitz & Roth 2024
(https://arxiv.org/abs/2406.06820).
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import ClassVar

from adapter_lib.spec.configs.base import Aim, MethodConfig, Place, Shapes
from adapter_lib.spec.configs.checks import (
    check_choice,
    check_flags,
    check_gating,
    check_layer_ids,
    check_positive,
    check_probability,
    refuse,
    store,
)
from adapter_lib.spec.configs.invertible import COUPLINGS, InvertibleConfig
from adapter_lib.spec.configs.non_linearities import NON_LINEARITIES
from adapter_lib.spec.configs.per_layer import PerLayer
from adapter_lib.spec.configs.registry import register_config
from adapter_lib.spec.errors import ConfigError

INITS = ("bert", "mam_adapter", "houlsby")

_IDENTITY = (
    "mh_adapter",
    "cross_adapter",
    "output_adapter",
    "is_parallel",
    "original_ln_before",
    "original_ln_after",
    "ln_before",
    "ln_after",
    "residual_before_ln",
    "adapter_residual_before_ln",
)


@dataclass(frozen=True, eq=False, kw_only=True)
class BnConfig(MethodConfig):
    """A bottleneck at a sub-layer's output u with residual x and the block's own layer norm N.

    In pre-norm models N is the identity at that point. f is the non-linearity; down and up are linear maps
    from d to max(1, int(d / reduction_factor)) and back.

    Sequential:
        res = u
        if original_ln_before:  v = N(u + x), else v = u
            residual_before_ln False: res = v;  "post_add": res = u + x
        z = drop_path(dropout(s · up(f(down(ln_before(v))))))
        z ← g · z with the gate g = mean over the tokens of sigmoid(w · v + b), if use_gating
        a = ln_after(z) + res, or ln_after(z + res) if adapter_residual_before_ln
        out = N(a + x) if original_ln_after, else a
    Parallel (is_parallel), with x in the place of v:
        a = u + ln_after(g · drop_path(dropout(s · up(f(down(ln_before(x)))))))
        out = N(a + x) if original_ln_after, else a

    mh_adapter, cross_adapter, output_adapter: act after self-attention, after cross-attention, after the
        feed-forward block.
    ln_before, ln_after: layer norms of the adapter's own; the identity unless set.
    reduction_factor: a number, or one per layer: {"0": 8, "default": 16}; below 1 the bottleneck is wider
        than the model.
    scaling: s: a number, "learned" (one scalar, starts at 1) or "channel" (d values, start at 1).
    init_weights: "bert": normal(0, 0.02), biases 0; "mam_adapter": Kaiming down, zero up;
        "houlsby": normal(0, 0.01) cut at two standard deviations, biases 0.
    stochastic_depth: while training, the chance that an example does without the adapter; z of the others is
        divided by 1 - stochastic_depth (Huang et al. 2016, https://arxiv.org/abs/1603.09382).
    inv_adapter, inv_adapter_reduction_factor: add an invertible adapter at the embeddings: "nice" or "glow",
        with these coupling networks (`InvertibleConfig`); the adapter then has the two as its members.
    """

    method: ClassVar[str] = "bottleneck"
    measure: ClassVar[str] = "reduction"
    not_taken: ClassVar[Mapping[str, str]] = MappingProxyType(
        {
            "init_weights_seed": "call torch.manual_seed(…) before add_adapter(…).",
            "phm_layer": "that is the method compacter; write compacter or compacter++.",
        }
    )

    mh_adapter: bool
    output_adapter: bool
    reduction_factor: "float | PerLayer | Mapping[str | int, float]"
    non_linearity: str
    cross_adapter: bool = False
    is_parallel: bool = False
    original_ln_before: bool = False
    original_ln_after: bool = True
    ln_before: bool = False
    ln_after: bool = False
    residual_before_ln: bool | str = True
    adapter_residual_before_ln: bool = False
    scaling: float | str = 1.0
    dropout: float = 0.0
    init_weights: str = "bert"
    stochastic_depth: float = 0.0
    inv_adapter: str | None = None
    inv_adapter_reduction_factor: float = 2.0

    def __post_init__(self) -> None:
        check_flags(self, "mh_adapter", "output_adapter", "is_parallel", "adapter_residual_before_ln")
        check_flags(self, "original_ln_before", "original_ln_after", "ln_before", "ln_after")
        check_flags(self, "cross_adapter")
        check_gating(self)
        check_choice(self, "residual_before_ln", (True, False, "post_add"))
        check_choice(self, "non_linearity", NON_LINEARITIES)
        check_choice(self, "init_weights", INITS)
        check_choice(self, "inv_adapter", (None, *COUPLINGS))
        check_positive(self, "inv_adapter_reduction_factor")
        check_probability(self, "dropout")
        check_probability(self, "stochastic_depth")
        check_layer_ids(self, "leave_out")
        self._check_numbers()
        self._check_together()

    def _check_numbers(self) -> None:
        if isinstance(self.reduction_factor, PerLayer | Mapping):
            store(self, "reduction_factor", PerLayer.parse(self.reduction_factor))
        else:
            check_positive(self, "reduction_factor")
        if isinstance(self.scaling, str):
            check_choice(self, "scaling", ("learned", "channel"))
        else:
            check_positive(self, "scaling")

    def _check_together(self) -> None:
        if not (self.mh_adapter or self.cross_adapter or self.output_adapter):
            raise ConfigError(
                "A bottleneck needs mh_adapter, cross_adapter or output_adapter; with none it would act "
                "nowhere."
            )
        sequential_only = (
            self.original_ln_before or self.adapter_residual_before_ln or self.residual_before_ln is not True
        )
        if self.is_parallel and sequential_only:
            raise ConfigError(
                "A parallel bottleneck reads the sub-layer's input and has no residual of its own: leave "
                "original_ln_before, residual_before_ln and adapter_residual_before_ln at their defaults."
            )
        if self.residual_before_ln == "post_add" and not self.original_ln_before:
            raise refuse(self, "residual_before_ln", "true or false unless original_ln_before is set")

    def presets(self) -> "Mapping[str, type[BnConfig]]":
        """The presets of this config's method."""
        return PRESETS

    def name(self) -> str:
        for preset, cls in self.presets().items():
            if _identity(self) == _identity(cls):
                return preset
        return self.method

    def members(self) -> tuple[MethodConfig, ...]:
        if self.inv_adapter is None:
            return (self,)
        return (replace(self, inv_adapter=None), self._invertible(self.inv_adapter))

    def _invertible(self, coupling: str) -> InvertibleConfig:
        return InvertibleConfig(
            coupling=coupling,
            reduction_factor=self.inv_adapter_reduction_factor,
            non_linearity=self.non_linearity,
        )

    def aims(self) -> tuple[Aim, ...]:
        wanted = {"mh": self.mh_adapter, "cross": self.cross_adapter, "ffn": self.output_adapter}
        sites = tuple(Aim(role, (role,)) for role, is_on in wanted.items() if is_on)
        return sites if self.inv_adapter is None else sites + self._invertible(self.inv_adapter).aims()

    def factor(self, layer: int) -> float:
        """The reduction factor of one layer."""
        given = self.reduction_factor
        return given.at(layer) if isinstance(given, PerLayer) else float(given)  # type: ignore[arg-type]

    def size(self) -> float:
        given = self.reduction_factor
        if isinstance(given, PerLayer):
            return given.default if given.default is not None else given.values[0][1]
        return float(given)  # type: ignore[arg-type]

    def inner_width(self, place: Place) -> int:
        """The width of the bottleneck."""
        return max(1, int(place.width_out / self.factor(place.layer)))

    def shapes(self, place: Place) -> Shapes:
        return self.map_shapes(place) | self._around_shapes(place.width_out)

    def map_shapes(self, place: Place) -> Shapes:
        """Names and shapes of the tensors of down and up."""
        inner, width = self.inner_width(place), place.width_out
        return {
            "down.weight": (inner, width),
            "down.bias": (inner,),
            "up.weight": (width, inner),
            "up.bias": (width,),
        }

    def _around_shapes(self, width: int) -> Shapes:
        found: Shapes = {}
        for norm in ("ln_before", "ln_after"):
            if getattr(self, norm):
                found |= {f"{norm}.weight": (width,), f"{norm}.bias": (width,)}
        if isinstance(self.scaling, str):
            found["scaling"] = (1,) if self.scaling == "learned" else (width,)
        return found


@dataclass(frozen=True, eq=False, kw_only=True)
class SeqBnConfig(BnConfig):
    """Pfeiffer et al. 2020: one bottleneck per layer, after the feed-forward block."""

    mh_adapter: bool = False
    output_adapter: bool = True
    reduction_factor: "float | PerLayer | Mapping[str | int, float]" = 16.0
    non_linearity: str = "relu"
    original_ln_before: bool = True


@dataclass(frozen=True, eq=False, kw_only=True)
class DoubleSeqBnConfig(BnConfig):
    """Houlsby et al. 2019: two bottlenecks per layer, after attention and after the feed-forward block."""

    mh_adapter: bool = True
    output_adapter: bool = True
    reduction_factor: "float | PerLayer | Mapping[str | int, float]" = 16.0
    non_linearity: str = "swish"


@dataclass(frozen=True, eq=False, kw_only=True)
class ParBnConfig(BnConfig):
    """He et al. 2021: a bottleneck parallel to the feed-forward block, scaled by 4."""

    mh_adapter: bool = False
    output_adapter: bool = True
    reduction_factor: "float | PerLayer | Mapping[str | int, float]" = 2.0
    non_linearity: str = "relu"
    is_parallel: bool = True
    scaling: float | str = 4.0
    init_weights: str = "mam_adapter"


@dataclass(frozen=True, eq=False, kw_only=True)
class ScaledParBnConfig(ParBnConfig):
    """The parallel bottleneck with a learned scale, which starts at 1."""

    scaling: float | str = "learned"


@dataclass(frozen=True, eq=False, kw_only=True)
class SeqBnInvConfig(SeqBnConfig):
    """Pfeiffer et al. 2020 with an invertible adapter: the language adapters of MAD-X."""

    inv_adapter: str | None = "nice"


@dataclass(frozen=True, eq=False, kw_only=True)
class DoubleSeqBnInvConfig(DoubleSeqBnConfig):
    """Houlsby et al. 2019 with an invertible adapter at the embeddings."""

    inv_adapter: str | None = "nice"


@dataclass(frozen=True, eq=False, kw_only=True)
class AdapterPlusConfig(BnConfig):
    """Adapter+ (Steitz & Roth 2024): behind the feed-forward block and its norm, scaled per channel."""

    mh_adapter: bool = False
    output_adapter: bool = True
    reduction_factor: "float | PerLayer | Mapping[str | int, float]" = 96.0
    non_linearity: str = "gelu"
    original_ln_before: bool = True
    original_ln_after: bool = False
    residual_before_ln: bool | str = False
    scaling: float | str = "channel"
    init_weights: str = "houlsby"
    stochastic_depth: float = 0.1


def _identity(config: BnConfig | type[BnConfig]) -> tuple[object, ...]:
    """What makes a preset what it is; size, activation, dropout … may vary under its name."""
    is_scaled = config.is_parallel and config.scaling == "learned"
    return (*(getattr(config, field) for field in _IDENTITY), config.inv_adapter is not None, is_scaled)


PRESETS: dict[str, type[BnConfig]] = {
    "seq_bn": SeqBnConfig,
    "double_seq_bn": DoubleSeqBnConfig,
    "par_bn": ParBnConfig,
    "scaled_par_bn": ScaledParBnConfig,
    "seq_bn_inv": SeqBnInvConfig,
    "double_seq_bn_inv": DoubleSeqBnInvConfig,
    "adapter_plus": AdapterPlusConfig,
}

register_config(
    BnConfig,
    presets=PRESETS,
    aliases={
        "pfeiffer": "seq_bn",
        "houlsby": "double_seq_bn",
        "parallel": "par_bn",
        "scaled_parallel": "scaled_par_bn",
        "pfeiffer+inv": "seq_bn_inv",
        "houlsby+inv": "double_seq_bn_inv",
        "adapter+": "adapter_plus",
    },
)
