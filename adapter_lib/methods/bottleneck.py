"""Bottleneck adapters; the equations stand at `BnConfig`."""

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple, cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from adapter_lib.engine import Groups, Part, SiteState
from adapter_lib.methods.non_linearities import non_linearity
from adapter_lib.methods.registry import Method, register_method
from adapter_lib.spec.configs import BnConfig, Shapes

_EPSILON = 1e-5
# Fields that say nothing about what `single` computes once the parameters are there.
_NOT_COMPUTED = frozenset({"leave_out", "reduction_factor", "init_weights"})


class Maps(NamedTuple):
    """What down and up do, W x + b: W [out, in], b [out]; stacked for N shares: [N, out, in], [N, 1, out]."""

    down: Tensor
    down_bias: Tensor | None
    up: Tensor
    up_bias: Tensor | None


class Around(NamedTuple):
    """What stands around the maps, [d] each (the scaling may be [1]); stacked for N shares: [N, 1, d]."""

    scaling: Tensor | None = None
    before_weight: Tensor | None = None
    before_bias: Tensor | None = None
    after_weight: Tensor | None = None
    after_bias: Tensor | None = None


class Bottleneck(Part):
    """down: d → inner, up: inner → d, with the config's norms and scaling around them."""

    gates_itself = True

    config: BnConfig

    def make(self, shapes: Shapes, like: Tensor) -> None:
        self.make_maps(shapes, like)
        self.act = non_linearity(self.config.non_linearity)
        for name in ("ln_before", "ln_after"):
            if getattr(self.config, name):
                width = shapes[f"{name}.weight"]
                norm = nn.LayerNorm(width, eps=_EPSILON, device=like.device, dtype=like.dtype)
                self.add_module(name, norm)
        if "scaling" in shapes:
            scaling = torch.ones(shapes["scaling"], dtype=like.dtype, device=like.device)
            self.register_parameter("scaling", nn.Parameter(scaling))

    def make_maps(self, shapes: Shapes, like: Tensor) -> None:
        """Make the parameters of down and up."""
        inner, width = shapes["down.weight"]
        self.down = nn.Linear(width, inner, device=like.device, dtype=like.dtype)
        self.up = nn.Linear(inner, width, device=like.device, dtype=like.dtype)

    def initialise(self) -> None:
        start = {"bert": _start_bert, "mam_adapter": _start_mam, "houlsby": _start_houlsby}[
            self.config.init_weights
        ]
        start(self.down, self.up)
        nn.init.zeros_(self.down.bias)
        nn.init.zeros_(self.up.bias)

    def maps(self) -> Maps:
        """What down and up multiply with and add."""
        return Maps(self.down.weight, self.down.bias, self.up.weight, self.up.bias)

    def around(self) -> Around:
        """The parameters of the norms and the scaling, as far as the config has them."""
        before, after = (_weights_of(self._modules.get(name)) for name in ("ln_before", "ln_after"))
        return Around(self._parameters.get("scaling"), *before, *after)

    def single(self, state: SiteState) -> SiteState:
        return self._change(state, self.maps(), self.around())

    def _change(self, state: SiteState, maps: Maps, around: Around) -> SiteState:
        u, residual = self._enter(state)
        z = self._bottleneck(u, maps, around)
        if self.gate is not None:
            gate = self.gate_of(u, state.info)
            self.note_gate(state.info, gate)
            z = z * gate
        final = not self.config.original_ln_after
        if self.config.adapter_residual_before_ln:
            return state.spoken(_norm(z + residual, around.after_weight, around.after_bias), final=final)
        return state.made(_norm(z, around.after_weight, around.after_bias), residual, final=final)

    def _enter(self, state: SiteState) -> tuple[Tensor, Tensor]:
        """(what goes into the bottleneck, what is added to its result)."""
        if self.config.is_parallel:
            return state.r, state.h
        if not self.config.original_ln_before:
            return state.h, state.h
        u = state.normed()
        if self.config.residual_before_ln == "post_add":
            return u, state.h + state.r
        return u, state.h if self.config.residual_before_ln else u

    def _bottleneck(self, u: Tensor, maps: Maps, around: Around) -> Tensor:
        """z of the equations, without the gate. Parameters may have another type than the model's states."""
        v = _norm(u.to(maps.down.dtype), around.before_weight, around.before_bias)
        z = _affine(self.act(_affine(v, maps.down, maps.down_bias)), maps.up, maps.up_bias)
        return self._drop(self._scaled(z, around.scaling)).to(u.dtype)

    def _scaled(self, z: Tensor, learned: Tensor | None) -> Tensor:
        if learned is None:
            return z if self.config.scaling == 1 else z * cast("float", self.config.scaling)
        return z * learned if learned.dim() == 1 else (_shares(z, learned) * learned).view(z.shape)

    def _drop(self, z: Tensor) -> Tensor:
        """Dropout, then stochastic depth: whole rows go without z."""
        if not self.training:
            return z
        z = F.dropout(z, self.config.dropout) if self.config.dropout else z
        if not self.config.stochastic_depth:
            return z
        keep = 1 - self.config.stochastic_depth
        chosen = torch.rand(z.shape[0], *(1 for _ in z.shape[1:]), device=z.device) < keep
        return z * chosen / keep

    def overrides_norm(self) -> bool:
        return not self.config.original_ln_after

    def can_group(self) -> bool:
        return self.gate is None

    @staticmethod
    def fit_together(groups: Groups) -> bool:
        """One adapter per share, all of the same settings and sizes."""
        if any(len(group) != 1 for group in groups):
            return False
        first, *others = _one_each(groups)
        return all(_are_alike(first, other) for other in others)

    @staticmethod
    def grouped(groups: Groups, state: SiteState) -> SiteState:
        """Every share's bottleneck in one batched product down and one up."""
        parts = _one_each(groups)
        maps = Maps._make(_stack([part.maps() for part in parts]))
        around = Around._make(_stack([part.around() for part in parts]))
        whole = replace(state, r=state.r.expand_as(state.h)) if parts[0].config.is_parallel else state
        return parts[0]._change(whole, maps, around)


def _one_each(groups: Groups) -> list[Bottleneck]:
    return [cast("Bottleneck", part) for group in groups for part in group]


def _are_alike(one: Bottleneck, other: Bottleneck) -> bool:
    if one.training != other.training:
        return False
    shapes = [{name: tensor.shape for name, tensor in part.named_parameters()} for part in (one, other)]
    settings = [{k: v for k, v in p.config.values().items() if k not in _NOT_COMPUTED} for p in (one, other)]
    return shapes[0] == shapes[1] and settings[0] == settings[1]


def _stack(rows: Sequence[Sequence[Tensor | None]]) -> list[Tensor | None]:
    """Position by position, one tensor for all rows; vectors get a dimension for the rows of their share."""
    found: list[Tensor | None] = []
    for column in zip(*rows, strict=True):
        there = [tensor for tensor in column if tensor is not None]
        joined = torch.stack(there) if there else None
        found.append(joined.unsqueeze(1) if joined is not None and joined.dim() == 2 else joined)
    return found


def _weights_of(norm: nn.Module | None) -> tuple[Tensor | None, Tensor | None]:
    return (norm.weight, norm.bias) if isinstance(norm, nn.LayerNorm) else (None, None)


def _affine(x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    """W x + b; with a stacked W every share of the rows of x has its own."""
    if weight.dim() == 2:
        return F.linear(x, weight, bias)
    rows, weight = _shares(x, weight), weight.transpose(1, 2)
    y = torch.bmm(rows, weight) if bias is None else torch.baddbmm(bias, rows, weight)
    return y.reshape(*x.shape[:-1], weight.shape[-1])


def _norm(x: Tensor, weight: Tensor | None, bias: Tensor | None) -> Tensor:
    """A layer norm over the last dimension, or x itself where there is none."""
    if weight is None or bias is None:
        return x
    if weight.dim() == 1:
        return F.layer_norm(x, x.shape[-1:], weight, bias, _EPSILON)
    normed = _shares(F.layer_norm(x, x.shape[-1:], eps=_EPSILON), weight)
    return torch.addcmul(bias, normed, weight).view(x.shape)


def _shares(x: Tensor, stacked: Tensor) -> Tensor:
    """x as [N, rows of a share, width] for a stack of N."""
    return x.reshape(stacked.shape[0], -1, x.shape[-1])


def _start_bert(down: nn.Linear, up: nn.Linear) -> None:
    nn.init.normal_(down.weight, std=0.02)
    nn.init.normal_(up.weight, std=0.02)


def _start_mam(down: nn.Linear, up: nn.Linear) -> None:
    nn.init.kaiming_uniform_(down.weight, a=5**0.5)
    nn.init.zeros_(up.weight)


def _start_houlsby(down: nn.Linear, up: nn.Linear) -> None:
    nn.init.trunc_normal_(down.weight, std=0.01, a=-0.02, b=0.02)
    nn.init.trunc_normal_(up.weight, std=0.01, a=-0.02, b=0.02)


register_method(
    Method(
        name="bottleneck",
        config=BnConfig,
        part=Bottleneck,
        presets=(
            "seq_bn",
            "double_seq_bn",
            "par_bn",
            "scaled_par_bn",
            "seq_bn_inv",
            "double_seq_bn_inv",
            "adapter_plus",
        ),
        summary="Small two-layer networks after (or beside) the sub-layers.",
        paper="https://arxiv.org/abs/2005.00052",
        learning_rate=1e-3,
    )
)
