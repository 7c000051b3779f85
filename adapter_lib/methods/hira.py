"""HiRA; the equation stands at `HiRAConfig`."""

import math

from torch import Tensor, nn

from adapter_lib.methods.dense_update import DenseUpdate
from adapter_lib.methods.registry import Method, register_method
from adapter_lib.spec.configs import HiRAConfig


class HiRA(DenseUpdate):
    """A starts Kaiming-uniform, B at zero: at first nothing changes."""

    config: HiRAConfig
    a: nn.Parameter
    b: nn.Parameter

    def initialise(self) -> None:
        nn.init.kaiming_uniform_(self.a, a=math.sqrt(5))
        nn.init.zeros_(self.b)

    def delta(self) -> Tensor:
        product = self.b @ self.a
        return self.host.weight().to(product.dtype) * product


register_method(
    Method(
        name="hira",
        config=HiRAConfig,
        part=HiRA,
        presets=("hira",),
        summary="The weight itself times a low-rank matrix, entry by entry: an update of high rank.",
        paper="https://openreview.net/forum?id=TwJrTz9cRS",
        learning_rate=5e-3,
        is_product=True,
    )
)
