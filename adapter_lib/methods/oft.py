"""OFT; the equation stands at `OFTConfig`."""

from torch import Tensor, nn

from adapter_lib.methods.registry import Method, register_method
from adapter_lib.methods.rotation import Rotation, cayley, turn_blocks
from adapter_lib.spec.configs import OFTConfig
from adapter_lib.spec.configs.block_width import block_width


class OFT(Rotation):
    """Q starts at zero, so R at the identity: at first nothing changes."""

    config: OFTConfig
    skew: nn.Parameter

    def initialise(self) -> None:
        nn.init.zeros_(self.skew)

    def turned(self, x: Tensor) -> Tensor:
        config = self.config
        width = block_width("oft", self.place, config.block_size, config.blocks)
        limit = config.eps if config.coft else None
        return turn_blocks(x, cayley(self.skew, width, limit, config.neumann_terms))


register_method(
    Method(
        name="oft",
        config=OFTConfig,
        part=OFT,
        presets=("oft",),
        summary="Turns the inputs of linear maps block by block; lengths and angles stay.",
        paper="https://arxiv.org/abs/2306.07280",
        learning_rate=1e-3,
    )
)
