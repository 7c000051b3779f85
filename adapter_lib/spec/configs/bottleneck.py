"""Bottleneck adapters.

Houlsby 2019 (https://arxiv.org/abs/1902.00751), Pfeiffer 2020 (https://arxiv.org/abs/2005.00052) and the
parallel one of He et al. 2021 (https://arxiv.org/abs/2110.04366).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from adapter_lib.spec.configs.base import MethodConfig, Place, Shapes
from adapter_lib.spec.configs.checks import (
    check_choice,
    check_flags,
    check_layer_ids,
    check_positive,
    check_probability,
    refuse,
    store,
)
from adapter_lib.spec.configs.per_layer import PerLayer
from adapter_lib.spec.configs.registry import register_config
from adapter_lib.spec.errors import ConfigError

NON_LINEARITIES = (
    "relu",
    "gelu",
    "gelu_new",
    "silu",
    "swish",
    "tanh",
    "sigmoid",
    "leakyrelu",
    "elu",
    "selu",
    "mish",
    "linear",
)
INITS = ("bert", "mam_adapter", "houlsby")

# The fields that make a preset what it is; the others (size, activation, dropout …) may vary under its name.
_IDENTITY = (
    "mh_adapter",
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
        z = dropout(s · up(f(down(ln_before(v)))))
        a = ln_after(z) + res, or ln_after(z + res) if adapter_residual_before_ln
        out = N(a + x) if original_ln_after, else a
    Parallel (is_parallel):
        a = u + ln_after(dropout(s · up(f(down(ln_before(x))))))
        out = N(a + x) if original_ln_after, else a

    mh_adapter, output_adapter: act after self-attention, after the feed-forward block.
    ln_before, ln_after: layer norms of the adapter's own; the identity unless set.
    reduction_factor: a number, or one per layer: {"0": 8, "default": 16}.
    scaling: s: a number, "learned" (one scalar, starts at 1) or "channel" (d values, start at 1).
    init_weights: "bert": normal(0, 0.02), biases 0; "mam_adapter": Kaiming down, zero up;
        "houlsby": normal(0, 0.01) cut at two standard deviations, biases 0.
    """

    method: ClassVar[str] = "bottleneck"

    mh_adapter: bool
    output_adapter: bool
    reduction_factor: "float | PerLayer | Mapping[str | int, float]"
    non_linearity: str
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

    def __post_init__(self) -> None:
        check_flags(self, "mh_adapter", "output_adapter", "is_parallel", "adapter_residual_before_ln")
        check_flags(self, "original_ln_before", "original_ln_after", "ln_before", "ln_after")
        check_choice(self, "residual_before_ln", (True, False, "post_add"))
        check_choice(self, "non_linearity", NON_LINEARITIES)
        check_choice(self, "init_weights", INITS)
        check_probability(self, "dropout")
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
        if not self.mh_adapter and not self.output_adapter:
            raise ConfigError(
                "A bottleneck needs mh_adapter or output_adapter; with neither it would act nowhere."
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

    def name(self) -> str:
        for preset, cls in PRESETS.items():
            if all(getattr(self, field) == getattr(cls, field) for field in _IDENTITY):
                return preset
        return "bottleneck"

    def roles(self) -> tuple[str, ...]:
        wanted = {"mh": self.mh_adapter, "ffn": self.output_adapter}
        return tuple(role for role, is_on in wanted.items() if is_on)

    def factor(self, layer: int) -> float:
        """The reduction factor of one layer."""
        given = self.reduction_factor
        return given.at(layer) if isinstance(given, PerLayer) else float(given)  # type: ignore[arg-type]

    def size(self) -> float:
        given = self.reduction_factor
        if isinstance(given, PerLayer):
            return given.default if given.default is not None else given.values[0][1]
        return float(given)  # type: ignore[arg-type]

    def shapes(self, place: Place) -> Shapes:
        width = place.width_out
        inner = max(1, int(width / self.factor(place.layer)))
        found: Shapes = {
            "down.weight": (inner, width),
            "down.bias": (inner,),
            "up.weight": (width, inner),
            "up.bias": (width,),
        }
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


PRESETS: dict[str, type[BnConfig]] = {
    "seq_bn": SeqBnConfig,
    "double_seq_bn": DoubleSeqBnConfig,
    "par_bn": ParBnConfig,
}

register_config(
    BnConfig,
    presets=PRESETS,
    aliases={"pfeiffer": "seq_bn", "houlsby": "double_seq_bn", "parallel": "par_bn"},
)
