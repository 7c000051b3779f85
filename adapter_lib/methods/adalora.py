"""AdaLoRA; the equations stand at `AdaLoRAConfig`, the choosing of ranks in `adapter_lib.training`."""

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
from adapter_lib.spec.configs import AdaLoRAConfig


class AdaLoRA(Part):
    """P and Q start Gaussian with columns (rows) of about length 1, Λ at zero: at first nothing changes."""

    config: AdaLoRAConfig
    p: nn.Parameter
    singular: nn.Parameter
    q: nn.Parameter

    def initialise(self) -> None:
        nn.init.normal_(self.p, std=self.place.width_out**-0.5)
        nn.init.normal_(self.q, std=self.place.width_in**-0.5)
        nn.init.zeros_(self.singular)

    def single(self, state: LeafState) -> LeafState:
        return state.with_y(add_low_rank(state, self.update()))

    def update(self) -> LowRank:
        """The update as the engine's low-rank products take it; dropout only while training."""
        dropout = self.config.dropout if self.training else 0.0
        return LowRank(self.q, self.p * self.singular, self.config.scale, dropout)

    def rank(self) -> int:
        """How many entries of Λ are not zero."""
        return int(torch.count_nonzero(self.singular))

    def weight_delta(self) -> WeightDelta:
        return WeightDelta(self.config.scale * (self.p * self.singular) @ self.q)

    def regularisation(self) -> Tensor | None:
        if not self.config.orth_reg:
            return None
        apart = _from_orthogonal(self.p.t() @ self.p) + _from_orthogonal(self.q @ self.q.t())
        return self.config.orth_reg * apart

    def can_group(self) -> bool:
        return self.gate is None

    @staticmethod
    def grouped(groups: Groups, state: LeafState) -> LeafState:
        """Every share's updates in one product."""
        updates = [[part.update() for part in group if isinstance(part, AdaLoRA)] for group in groups]
        return state.with_y(add_low_rank_groups(state, updates))


def _from_orthogonal(products: Tensor) -> Tensor:
    """‖products - I‖²_F"""
    identity = torch.eye(len(products), dtype=products.dtype, device=products.device)
    return (products - identity).square().sum()


register_method(
    Method(
        name="adalora",
        config=AdaLoRAConfig,
        part=AdaLoRA,
        presets=("adalora",),
        summary="LoRA whose ranks are shared out among the maps while training.",
        paper="https://arxiv.org/abs/2303.10512",
        learning_rate=5e-3,
        is_product=True,
    )
)
