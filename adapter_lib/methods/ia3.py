"""(IA)³; the equation stands at `IA3Config`."""

from collections.abc import Sequence
from math import prod
from typing import TypeVar

import torch
from torch import Tensor, nn

from adapter_lib.engine import Groups, HiddenState, LeafState, Part, WeightDelta
from adapter_lib.methods.registry import Method, register_method
from adapter_lib.spec.configs import IA3Config

S = TypeVar("S", LeafState, HiddenState)


class IA3(Part):
    """One factor per value, 1 at first; in a Stack it multiplies what the adapters before it made."""

    config: IA3Config
    factor: nn.Parameter

    def initialise(self) -> None:
        nn.init.ones_(self.factor)

    def single(self, state: S) -> S:
        values = _values(state)
        return _with(state, values * self.factor.to(values.dtype))

    def weight_delta(self) -> WeightDelta:
        if self.place.kind == "middle":
            return WeightDelta(columns=self.factor)
        return WeightDelta(rows=self.factor)

    def can_group(self) -> bool:
        return self.gate is None

    @staticmethod
    def grouped(groups: Groups, state: S) -> S:
        """Every share of the rows times its own factors, in one product."""
        values = _values(state)
        shares = values.reshape(len(groups), -1, values.shape[-1])
        factors = torch.stack([_product(group, values) for group in groups]).unsqueeze(1)
        return _with(state, (shares * factors).view(values.shape))


def _product(group: Sequence[Part], values: Tensor) -> Tensor:
    factors = [part.factor.to(values.dtype) for part in group if isinstance(part, IA3)]
    return prod(factors[1:], start=factors[0]) if factors else values.new_ones(values.shape[-1])


def _values(state: LeafState | HiddenState) -> Tensor:
    return state.y if isinstance(state, LeafState) else state.h


def _with(state: S, values: Tensor) -> S:
    return state.with_y(values) if isinstance(state, LeafState) else state.with_h(values)


register_method(
    Method(
        name="ia3",
        config=IA3Config,
        part=IA3,
        presets=("ia3",),
        summary="Learned factors for keys, values and the feed-forward's activations; very few parameters.",
        paper="https://arxiv.org/abs/2205.05638",
        learning_rate=5e-3,
    )
)
