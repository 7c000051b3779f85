"""LoHa; the equation stands at `LoHaConfig`."""

from torch import Tensor, nn

from adapter_lib.methods.dense_update import DenseUpdate
from adapter_lib.methods.registry import Method, register_method
from adapter_lib.spec.configs import LoHaConfig


class LoHa(DenseUpdate):
    """B₂ starts at zero: at first nothing changes. The others start Gaussian, B₁ small, as in LyCORIS."""

    config: LoHaConfig
    a1: nn.Parameter
    b1: nn.Parameter
    a2: nn.Parameter
    b2: nn.Parameter

    def initialise(self) -> None:
        nn.init.normal_(self.a1, std=1)
        nn.init.normal_(self.b1, std=0.1)
        nn.init.normal_(self.a2, std=1)
        nn.init.zeros_(self.b2)

    def delta(self) -> Tensor:
        product = (self.b1 @ self.a1) * (self.b2 @ self.a2)
        shape = (self.place.width_out, self.place.width_in, *self.place.extent)
        return (product * self.config.scale).view(shape)


register_method(
    Method(
        name="loha",
        config=LoHaConfig,
        part=LoHa,
        presets=("loha",),
        summary="The entrywise product of two low-rank updates: of a higher rank with as few parameters.",
        paper="https://arxiv.org/abs/2309.14859",
        learning_rate=2e-3,
        is_product=True,
    )
)
