"""AdapterFusion; the equations stand at `FusionConfig`."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from adapter_lib.engine import BlockPart, record, register
from adapter_lib.methods.registry import Method, register_method
from adapter_lib.spec.configs import FusionConfig, Shapes

_HOTTEST, _COOLING, _COLDEST = 50.0, 0.05, 1.0
_NEAR_ZERO = 1e-6


class Fusion(BlockPart):
    """query, key: maps with bias, value: a map without; `calls` counts the calls in training."""

    config: FusionConfig
    query: Any
    key: Any
    value: Any
    calls: Tensor

    def make(self, shapes: Shapes, like: Tensor) -> None:
        own = {name: shape for name, shape in shapes.items() if name != "calls"}
        register(self, own, like)
        if "calls" in shapes:
            # Whole numbers: a model in half precision could not count so far, nor in steps of 0.05.
            self.register_buffer("calls", torch.zeros(shapes["calls"], dtype=torch.int64, device=like.device))

    def initialise(self) -> None:
        for name in ("query", "key"):
            if getattr(self.config, name):
                nn.init.normal_(getattr(self, name).weight, std=0.02)
                nn.init.zeros_(getattr(self, name).bias)
        if self.config.value and self.config.value_initialized:
            nn.init.constant_(self.value.weight, _NEAR_ZERO)
            with torch.no_grad():
                self.value.weight.fill_diagonal_(1.0)
        elif self.config.value:
            nn.init.normal_(self.value.weight, std=0.02)

    def begin(self) -> None:
        if self.config.temperature:
            # A new tensor: what the last call computed may still wait for its backward.
            self.calls = self.calls + 1

    def temperature(self) -> Tensor | float:
        """T of the current call, [1]: 50 in the first call in training, 0.05 less in each that follows."""
        if not self.config.temperature:
            return 1.0
        return (_HOTTEST - _COOLING * (self.calls - 1)).clamp(_COLDEST, _HOTTEST)

    def combine(self, state: Any, results: Sequence[Any], which: Sequence[int]) -> Any:
        last = results[-1]
        residual = state.residual(last)
        added = torch.stack([state.added(result) for result in results], dim=-2)
        if self.config.residual_before:
            added = added + residual.unsqueeze(-2)
        p = self._attention(state.query(is_normed=not self.config.query_before_ln), added)
        record(state.info, "fusion", self.block, self.place, _spread(p, which, self.count))
        p = F.dropout(p, self.config.dropout_prob, self.training)
        total = (p.unsqueeze(-2) @ added).squeeze(-2)
        if self.config.value:
            total = F.linear(total, self.value.weight)
        return state.plus(total - residual if self.config.residual_before else total, last)

    def _attention(self, query: Tensor, added: Tensor) -> Tensor:
        """p [..., n] from the query [..., d] and what the children added [..., n, d]."""
        if self.config.query:
            query = F.linear(query, self.query.weight, self.query.bias)
        keys = F.linear(added, self.key.weight, self.key.bias) if self.config.key else added
        scores = (keys @ query.unsqueeze(-1)).squeeze(-1)
        return torch.softmax(scores / self.temperature(), dim=-1).to(added.dtype)

    def regularisation(self) -> Tensor | None:
        if not self.config.regularization:
            return None
        weight: Tensor = self.value.weight
        identity = torch.eye(len(weight), dtype=weight.dtype, device=weight.device)
        return self.config.regularization * (identity - weight).square().sum()


def _spread(p: Tensor, which: Sequence[int], count: int) -> Tensor:
    """p over all children of the block, [..., count]: 0 for those that are not here."""
    if len(which) == count:
        return p
    spread = p.new_zeros((*p.shape[:-1], count))
    spread[..., list(which)] = p.detach()
    return spread


register_method(
    Method(
        name="fusion",
        config=FusionConfig,
        block=Fusion,
        presets=("dynamic", "static"),
        summary="Attention over what several adapters say, learned after them (for a Fuse).",
        paper="https://arxiv.org/abs/2005.00247",
        learning_rate=5e-5,
    )
)
