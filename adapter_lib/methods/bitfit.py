"""BitFit; the equation stands at `BitFitConfig`."""

from torch import nn

from adapter_lib.engine import LeafState, Part, WeightDelta
from adapter_lib.methods.registry import Method, register_method
from adapter_lib.spec.configs import BitFitConfig


class BitFit(Part):
    """Δb [out], zero at first."""

    config: BitFitConfig
    bias: nn.Parameter

    def initialise(self) -> None:
        nn.init.zeros_(self.bias)

    def single(self, state: LeafState) -> LeafState:
        return state.with_y(state.y + self.bias.to(state.y.dtype))

    def weight_delta(self) -> WeightDelta:
        return WeightDelta(bias=self.bias)


register_method(
    Method(
        name="bitfit",
        config=BitFitConfig,
        part=BitFit,
        presets=("bitfit",),
        summary="Trains biases, nothing else.",
        paper="https://arxiv.org/abs/2106.10199",
        learning_rate=2e-3,
    )
)
