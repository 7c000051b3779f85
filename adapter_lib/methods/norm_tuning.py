"""Norm tuning; the equation stands at `NormTuningConfig`."""

from torch import Tensor, nn

from adapter_lib.engine import LeafState, Part, WeightDelta
from adapter_lib.methods.registry import Method, register_method
from adapter_lib.spec.configs import NormTuningConfig


class NormTuning(Part):
    """Δw [d] and, where there is one, Δb [d], both zero at first."""

    config: NormTuningConfig
    weight: nn.Parameter

    def initialise(self) -> None:
        for parameter in self.parameters(recurse=False):
            nn.init.zeros_(parameter)

    def single(self, state: LeafState) -> LeafState:
        added = state.x.to(self.weight.dtype) * self.weight
        bias = self._bias()
        added = added if bias is None else added + bias
        return state.with_y(state.y + added.to(state.y.dtype))

    def weight_delta(self) -> WeightDelta:
        return WeightDelta(self.weight, self._bias())

    def _bias(self) -> Tensor | None:
        found: Tensor | None = getattr(self, "bias", None)
        return found


register_method(
    Method(
        name="norm_tuning",
        config=NormTuningConfig,
        part=NormTuning,
        presets=("norm_tuning",),
        summary="Trains the weights and biases of the norms, nothing else.",
        paper="https://arxiv.org/abs/2312.11420",
        learning_rate=3e-3,
    )
)
