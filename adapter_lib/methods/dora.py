"""DoRA (Liu et al. 2024): W' = m ⊙ V / ‖V‖ with V = W + s · B A; the equations stand at `DoRAConfig`."""

from torch import Tensor

from adapter_lib.methods.low_rank import LowRankPart, matrix
from adapter_lib.methods.magnitude import MagnitudePart
from adapter_lib.methods.registry import Method, register_method
from adapter_lib.spec.configs import DoRAConfig


class DoRA(LowRankPart, MagnitudePart):
    """LoRA's A and B give the direction; `magnitude` [out] is m."""

    config: DoRAConfig

    def initialise(self) -> None:
        super().initialise()
        self.start_magnitude()

    def direction(self) -> Tensor:
        return matrix(self.place, self.lora_a, self.lora_b) * self.scale

    def scales_bias(self) -> bool:
        return self.config.scales_bias

    def directed(self, x: Tensor) -> Tensor:
        return self.product(x) * self.scale


register_method(
    Method(
        name="dora",
        config=DoRAConfig,
        part=DoRA,
        presets=("dora",),
        summary="LoRA on the direction of a weight's rows, their magnitudes apart; can be merged.",
        paper="https://arxiv.org/abs/2402.09353",
        learning_rate=2e-3,
        is_product=True,
    )
)
