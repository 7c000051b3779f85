"""LoRA (Hu et al. 2021): y = W x + s · B A dropout(x); `LoRAConfig` tells s and the starts."""

from typing import ClassVar

import torch
from torch import Tensor, nn

from adapter_lib.engine import (
    ExpertsState,
    Groups,
    LeafState,
    LowRank,
    WeightDelta,
    add_low_rank,
    add_low_rank_groups,
)
from adapter_lib.methods.low_rank import LowRankPart, matrix
from adapter_lib.methods.registry import Method, register_method
from adapter_lib.spec.configs import LoRAConfig, Shapes


class LoRA(LowRankPart):
    """A and B, and the start A0, B0 that is taken off again where the config's start has one.

    With a start, s · (B A - B0 A0) is s · [B, -B0] [A; A0], an update of twice the rank.
    """

    frozen: ClassVar[tuple[str, ...]] = ("start_a", "start_b")

    config: LoRAConfig
    start_a: nn.Parameter
    start_b: nn.Parameter

    def make(self, shapes: Shapes, like: Tensor) -> None:
        super().make(shapes, like)
        if self.config.use_gating:
            # The gate takes the place of s.
            self.scale = 1.0

    def initialise(self) -> None:
        super().initialise()
        if self._has_start():
            with torch.no_grad():
                self.start_a.copy_(self.lora_a)
                self.start_b.copy_(self.lora_b)

    def single(self, state: LeafState | ExpertsState) -> LeafState | ExpertsState:
        if isinstance(state, ExpertsState):
            return state.with_delta(self.place.role, self._matrix())
        return state.with_y(self._added_to(state))

    def update(self) -> LowRank:
        """The update as the engine's low-rank products take it; dropout only while training."""
        dropout = self.config.dropout if self.training else 0.0
        if self._has_start():
            return LowRank(*self._joined(), self.scale, dropout)
        return LowRank(self.lora_a, self.lora_b, self.scale, dropout)

    def weight_delta(self) -> WeightDelta:
        return WeightDelta(self._matrix())

    def can_group(self) -> bool:
        # Dropout acts on B A x alone, not on what is taken off again.
        is_one_product = not (self._has_start() and self.config.dropout)
        return self.gate is None and self.place.kind == "linear" and is_one_product

    @staticmethod
    def grouped(groups: Groups, state: LeafState) -> LeafState:
        """Every share's updates in one product."""
        updates = [[part.update() for part in group if isinstance(part, LoRA)] for group in groups]
        return state.with_y(add_low_rank_groups(state, updates))

    def _added_to(self, state: LeafState) -> Tensor:
        is_dropping = bool(self.training and self.config.dropout)
        if self.place.kind == "linear" and not (self._has_start() and is_dropping):
            return add_low_rank(state, self.update())
        added = self.product(self.dropped(state))
        if self._has_start():
            added = added - self.through(state.x, self.start_a, self.start_b)
        return state.y + (added * self.scale).to(state.y.dtype)

    def _matrix(self) -> Tensor:
        """s · B A, or s · (B A - B0 A0), shaped as the map's weight."""
        found = matrix(self.place, self.lora_a, self.lora_b)
        if self._has_start():
            found = found - matrix(self.place, self.start_a, self.start_b)
        return found * self.scale

    def _joined(self) -> tuple[Tensor, Tensor]:
        return torch.cat([self.lora_a, self.start_a]), torch.cat([self.lora_b, -self.start_b], dim=1)

    def _has_start(self) -> bool:
        return "start_a" in self._parameters


register_method(
    Method(
        name="lora",
        config=LoRAConfig,
        part=LoRA,
        presets=("lora",),
        summary="A low-rank update of linear maps; can be merged into the weights.",
        paper="https://arxiv.org/abs/2106.09685",
        learning_rate=2e-3,
        is_product=True,
    )
)
