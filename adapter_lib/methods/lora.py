"""LoRA (Hu et al. 2021): y = W x + s · B A dropout(x), s = alpha / r (rsLoRA: alpha / sqrt(r))."""

import math

import torch
from torch import Tensor, nn

from adapter_lib.engine import Groups, LeafState, LowRank, Part, add_low_rank, add_low_rank_groups
from adapter_lib.methods.registry import Method, register_method
from adapter_lib.spec.configs import LoRAConfig, Shapes


class LoRA(Part):
    """A [r, in] starts Kaiming-uniform with a = √5, B [out, r] at zero: at first nothing changes."""

    is_groupable = True

    config: LoRAConfig
    lora_a: nn.Parameter
    lora_b: nn.Parameter

    def make(self, shapes: Shapes, like: Tensor) -> None:
        for name, shape in shapes.items():
            self.register_parameter(
                name, nn.Parameter(torch.empty(shape, dtype=like.dtype, device=like.device))
            )

    def initialise(self) -> None:
        nn.init.kaiming_uniform_(self.lora_a, a=math.sqrt(5))
        nn.init.zeros_(self.lora_b)

    def single(self, state: LeafState) -> LeafState:
        return LeafState(state.x, add_low_rank(state, self.update()))

    def update(self) -> LowRank:
        """The update as the engine's low-rank products take it; dropout only while training."""
        dropout = self.config.dropout if self.training else 0.0
        return LowRank(self.lora_a, self.lora_b, self.config.scale, dropout)

    def weight_delta(self) -> Tensor:
        return self.config.scale * (self.lora_b @ self.lora_a)

    @staticmethod
    def grouped(groups: Groups, state: LeafState) -> LeafState:
        """Every channel's updates in one product."""
        updates = [[part.update() for part in group if isinstance(part, LoRA)] for group in groups]
        return LeafState(state.x, add_low_rank_groups(state, updates))


register_method(
    Method(
        name="lora",
        config=LoRAConfig,
        part=LoRA,
        presets=("lora",),
        summary="A low-rank update of linear maps; can be merged into the weights.",
        paper="https://arxiv.org/abs/2106.09685",
        learning_rate=5e-4,
    )
)
