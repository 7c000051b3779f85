"""DVoRA: DoRA's magnitude with VeRA's direction; the equations stand at `DVoRAConfig`."""

from torch import Tensor

from adapter_lib.methods.magnitude import MagnitudePart
from adapter_lib.methods.registry import Method, register_method
from adapter_lib.methods.vera import VeRAPart, VeRAProjections
from adapter_lib.spec.configs import DVoRAConfig


class DVoRA(VeRAPart, MagnitudePart):
    """VeRA's d and b give the direction; `magnitude` [out] is m."""

    def initialise(self) -> None:
        super().initialise()
        self.start_magnitude()

    def direction(self) -> Tensor:
        a, b = self.factors()
        return b @ a

    def directed(self, x: Tensor) -> Tensor:
        return self.between(x)


register_method(
    Method(
        name="dvora",
        config=DVoRAConfig,
        part=DVoRA,
        shared=VeRAProjections,
        presets=("dvora",),
        summary="VeRA on the direction of a weight's rows, their magnitudes apart; can be merged.",
        paper="https://arxiv.org/abs/2402.09353",
        learning_rate=5e-3,
        is_product=True,
    )
)
