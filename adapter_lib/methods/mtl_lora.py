"""MTL-LoRA (Yang et al. 2024): y = W x + s Σ_i p_i B_i Λ A x; the equations stand at `MTLLoRAConfig`."""

import math
from typing import ClassVar

import torch
from torch import Tensor, nn

from adapter_lib.engine import (
    Groups,
    LeafState,
    LowRank,
    Part,
    WeightDelta,
    add_low_rank,
    add_low_rank_groups,
)
from adapter_lib.methods.registry import Method, register_method
from adapter_lib.spec.configs import MTLLoRAConfig, Shapes


class MTLLoRA(Part):
    """A and the B_i, which tasks may share, and a task's own Λ and w."""

    shareable: ClassVar[tuple[str, ...]] = ("lora_a", "lora_b")

    config: MTLLoRAConfig
    lora_a: nn.Parameter
    lora_b: nn.Parameter
    task_matrix: nn.Parameter
    weights: nn.Parameter

    def make(self, shapes: Shapes, like: Tensor) -> None:
        super().make(shapes, like)
        self.scale = self.config.scale_at(self.place)

    def initialise(self) -> None:
        nn.init.kaiming_uniform_(self.lora_a, a=math.sqrt(5))
        nn.init.zeros_(self.lora_b)
        with torch.no_grad():
            is_dense = self.task_matrix.dim() == 2
            self.task_matrix.copy_(torch.eye(len(self.task_matrix)) if is_dense else torch.tensor(1.0))
        # Kaiming-uniform with a = √5 of a row of n weights.
        bound = len(self.weights) ** -0.5
        nn.init.uniform_(self.weights, -bound, bound)

    def single(self, state: LeafState) -> LeafState:
        return state.with_y(add_low_rank(state, self.update()))

    def update(self) -> LowRank:
        """The update as the engine's low-rank products take it: Λ A and the task's mean of the B_i."""
        dropout = self.config.dropout if self.training else 0.0
        return LowRank(*self._factors(), self.scale, dropout)

    def weight_delta(self) -> WeightDelta:
        a, b = self._factors()
        return WeightDelta(self.scale * (b @ a))

    def can_group(self) -> bool:
        return self.gate is None

    @staticmethod
    def grouped(groups: Groups, state: LeafState) -> LeafState:
        """Every share's updates in one product."""
        updates = [[part.update() for part in group if isinstance(part, MTLLoRA)] for group in groups]
        return state.with_y(add_low_rank_groups(state, updates))

    def _factors(self) -> tuple[Tensor, Tensor]:
        shares = torch.softmax(self.weights / self.config.weights_sharpness, dim=0)
        task = self.task_matrix
        a = task @ self.lora_a if task.dim() == 2 else task[:, None] * self.lora_a
        return a, torch.einsum("n,nor->or", shares, self.lora_b)


register_method(
    Method(
        name="mtl_lora",
        config=MTLLoRAConfig,
        part=MTLLoRA,
        presets=("mtl_lora",),
        summary="LoRA for several tasks at once: shared matrices, a small transform and weights per task.",
        paper="https://arxiv.org/abs/2410.09437",
        learning_rate=2e-3,
        is_product=True,
    )
)
