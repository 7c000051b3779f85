"""Bottleneck adapters; the equations stand at `BnConfig`."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from transformers.activations import ACT2FN

from adapter_lib.engine import Part, SiteState
from adapter_lib.methods.registry import Method, register_method
from adapter_lib.spec.configs import BnConfig, Shapes


class Bottleneck(Part):
    """down: d → inner, up: inner → d, with the config's norms and scaling around them."""

    config: BnConfig
    ln_before: nn.LayerNorm
    ln_after: nn.LayerNorm
    scaling: nn.Parameter

    def make(self, shapes: Shapes, like: Tensor) -> None:
        inner, width = shapes["down.weight"]
        self.down = nn.Linear(width, inner, device=like.device, dtype=like.dtype)
        self.up = nn.Linear(inner, width, device=like.device, dtype=like.dtype)
        self.act: nn.Module = ACT2FN[self.config.non_linearity]
        for name in ("ln_before", "ln_after"):
            if getattr(self.config, name):
                self.add_module(name, nn.LayerNorm(width, device=like.device, dtype=like.dtype))
        if "scaling" in shapes:
            scaling = torch.ones(shapes["scaling"], dtype=like.dtype, device=like.device)
            self.register_parameter("scaling", nn.Parameter(scaling))

    def initialise(self) -> None:
        start = {"bert": _start_bert, "mam_adapter": _start_mam, "houlsby": _start_houlsby}[
            self.config.init_weights
        ]
        start(self.down, self.up)
        nn.init.zeros_(self.down.bias)
        nn.init.zeros_(self.up.bias)

    def single(self, state: SiteState) -> SiteState:
        after = self._parallel(state) if self.config.is_parallel else self._sequential(state)
        return state._replace(h=after, final=not self.config.original_ln_after)

    def _parallel(self, state: SiteState) -> Tensor:
        z = self._bottleneck(state.r)
        return state.h + (self.ln_after(z) if self.config.ln_after else z)

    def _sequential(self, state: SiteState) -> Tensor:
        u, residual = self._enter(state)
        z = self._bottleneck(u)
        if self.config.adapter_residual_before_ln:
            z = z + residual
        if self.config.ln_after:
            z = self.ln_after(z)
        return z if self.config.adapter_residual_before_ln else z + residual

    def _enter(self, state: SiteState) -> tuple[Tensor, Tensor]:
        """(what goes into the bottleneck, what is added to its result)."""
        if not self.config.original_ln_before:
            return state.h, state.h
        added = state.h + state.r
        u = state.norm(added) if state.norm is not None else added
        residual = {True: state.h, False: u, "post_add": added}[self.config.residual_before_ln]
        return u, residual

    def _bottleneck(self, u: Tensor) -> Tensor:
        u = self.ln_before(u) if self.config.ln_before else u
        z = self.up(self.act(self.down(u))) * self._scaling()
        return F.dropout(z, self.config.dropout, self.training)

    def _scaling(self) -> float | Tensor:
        given = self.config.scaling
        return self.scaling if isinstance(given, str) else given

    def overrides_norm(self) -> bool:
        return not self.config.original_ln_after


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
        presets=("seq_bn", "double_seq_bn", "par_bn"),
        summary="Small two-layer networks after (or beside) the sub-layers.",
        paper="https://arxiv.org/abs/2005.00052",
        learning_rate=1e-4,
    )
)
