"""VeRA (Kopiczko et al. 2023): y = W x + b ⊙ (B (d ⊙ (A x))); the equations stand at `VeRAConfig`."""

from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from adapter_lib.engine import (
    Groups,
    LeafState,
    LowRank,
    Part,
    Shared,
    WeightDelta,
    add_low_rank_groups,
)
from adapter_lib.methods.registry import Method, register_method
from adapter_lib.spec.configs import VeRAConfig


class VeRAProjections(Shared):
    """The random A [r, largest in] and B [largest out, r] that all places of one adapter share."""

    frozen: ClassVar[tuple[str, ...]] = ("vera_a", "vera_b")

    config: VeRAConfig
    vera_a: nn.Parameter
    vera_b: nn.Parameter

    def initialise(self) -> None:
        generator = torch.Generator().manual_seed(self.config.seed)
        for parameter in (self.vera_a, self.vera_b):
            # On the CPU and in float32, so that a seed means the same numbers everywhere.
            drawn = torch.empty(parameter.shape, dtype=torch.float32)
            nn.init.kaiming_uniform_(drawn, generator=generator)
            with torch.no_grad():
                parameter.copy_(drawn)


class VeRAPart(Part):
    """What VeRA and DVoRA have in common: d [r], b [out], and this place's share of A and B."""

    config: VeRAConfig
    vera_d: nn.Parameter
    vera_b: nn.Parameter

    def initialise(self) -> None:
        nn.init.constant_(self.vera_d, self.config.d_initial)
        nn.init.zeros_(self.vera_b)

    def factors(self) -> tuple[Tensor, Tensor]:
        """(diag(d) A, diag(b) B), whose product is the update."""
        a, b = self._projections()
        return self.vera_d[:, None] * a, self.vera_b[:, None] * b

    def dropped(self, state: LeafState) -> Tensor:
        """The input after dropout, which acts while training."""
        rate = self.config.dropout if self.training else 0.0
        return F.dropout(state.x, rate) if rate else state.x

    def between(self, x: Tensor) -> Tensor:
        """b ⊙ (B (d ⊙ (A x)))"""
        a, b = self._projections()
        return self.vera_b * ((self.vera_d * (x.to(a.dtype) @ a.t())) @ b.t())

    def _projections(self) -> tuple[Tensor, Tensor]:
        like = self.vera_d
        a = self.shared.vera_a[:, : self.place.width_in]
        b = self.shared.vera_b[: self.place.width_out]
        return a.to(like.device, like.dtype), b.to(like.device, like.dtype)


class VeRA(VeRAPart):
    """y += b ⊙ (B (d ⊙ (A x)))."""

    def single(self, state: LeafState) -> LeafState:
        added = self.between(self.dropped(state))
        return state.with_y(state.y + added.to(state.y.dtype))

    def weight_delta(self) -> WeightDelta:
        a, b = self.factors()
        return WeightDelta(b @ a)

    def can_group(self) -> bool:
        return self.gate is None

    @staticmethod
    def grouped(groups: Groups, state: LeafState) -> LeafState:
        """Every share's updates in one product of rank r."""
        updates = [[part.update() for part in group if isinstance(part, VeRA)] for group in groups]
        return state.with_y(add_low_rank_groups(state, updates))

    def update(self) -> LowRank:
        """The update as the engine's low-rank products take it."""
        return LowRank(*self.factors(), 1.0, self.config.dropout if self.training else 0.0)


register_method(
    Method(
        name="vera",
        config=VeRAConfig,
        part=VeRA,
        shared=VeRAProjections,
        presets=("vera",),
        summary="Two learned vectors per map between random matrices that all maps share; can be merged.",
        paper="https://arxiv.org/abs/2310.11454",
        learning_rate=5e-3,
        is_product=True,
    )
)
