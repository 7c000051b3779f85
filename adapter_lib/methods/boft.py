"""BOFT; the equation stands at `BOFTConfig`."""

import torch
from torch import Tensor, nn

from adapter_lib.engine import LeafState, WeightDelta
from adapter_lib.methods.registry import Method, register_method
from adapter_lib.methods.rotation import Rotation, cayley, turn_blocks
from adapter_lib.spec.configs import BOFTConfig


class BOFT(Rotation):
    """Every Q starts at zero and s at one: at first nothing changes."""

    config: BOFTConfig
    skew: nn.Parameter
    factor: nn.Parameter

    def initialise(self) -> None:
        nn.init.zeros_(self.skew)
        if self.config.rescale:
            nn.init.ones_(self.factor)

    def single(self, state: LeafState) -> LeafState:
        if not self.config.rescale:
            return super().single(state)
        # s ⊙ W R x - W x, in parts that are zero without rounding as long as nothing was learned.
        turned = self.host.project(self.turned(state.x).to(state.x.dtype))
        factor = self.factor.to(turned.dtype)
        return state.with_y(state.y + factor * turned + (factor - 1) * self.host.project(state.x))

    def weight_delta(self) -> WeightDelta:
        if not self.config.rescale:
            return super().weight_delta()
        weight, factor = self.host.weight(), self.factor.unsqueeze(-1)
        return WeightDelta(factor * self._turned_weight() + (factor - 1) * weight)

    def turned(self, x: Tensor) -> Tensor:
        turns = cayley(self.skew, self.config.block_size)
        half = self.config.block_size // 2
        difference = torch.zeros_like(x, dtype=turns.dtype)
        for number, turn in enumerate(turns):
            # B (x + d) - x = d + (B - I) (x + d)
            difference = difference + _butterfly(x + difference, turn, half, 2**number)
        return difference


def _butterfly(x: Tensor, turns: Tensor, half: int, distance: int) -> Tensor:
    """`turns` on x [..., in] where each block has two groups of `half` inputs, `distance` groups apart."""
    apart = torch.unflatten(x, -1, (-1, 2, distance, half)).transpose(-3, -2)
    turned = turn_blocks(apart.flatten(-4), turns)
    return torch.unflatten(turned, -1, (-1, distance, 2, half)).transpose(-3, -2).flatten(-4)


register_method(
    Method(
        name="boft",
        config=BOFTConfig,
        part=BOFT,
        presets=("boft",),
        summary="Turns the inputs of linear maps by butterfly factors: few parameters reach every input.",
        paper="https://arxiv.org/abs/2311.06243",
        learning_rate=3e-3,
    )
)
