"""B A x and B A at a map of any kind: linear, convolution, embedding, experts."""

from torch import Tensor, einsum, nn
from torch.nn import functional as F

from adapter_lib.engine import LeafState, Part
from adapter_lib.methods.starts import start
from adapter_lib.spec.configs import LowRankConfig, Place, Shapes


class LowRankPart(Part):
    """A part with lora_a and lora_b, started as the config says."""

    config: LowRankConfig
    lora_a: nn.Parameter
    lora_b: nn.Parameter

    def make(self, shapes: Shapes, like: Tensor) -> None:
        super().make(shapes, like)
        # s of the equations, told once: patterns are not for every forward.
        self.scale = self.config.scale_at(self.place)

    def initialise(self) -> None:
        name = getattr(self.config, "init_weights", "lora")
        start(name, self.lora_a, self.lora_b, self.place, self.host.weight, self.scale)

    def product(self, x: Tensor) -> Tensor:
        """B A x, without s."""
        return self.through(x, self.lora_a, self.lora_b)

    def through(self, x: Tensor, a: Tensor, b: Tensor) -> Tensor:
        """B A x with other matrices of these shapes, as this place's kind of map applies them."""
        if self.place.kind == "embedding":
            return self.host.project_with(x, a) @ b.t()
        if self.place.kind == "conv":
            return einsum("nr...,or->no...", self.host.project_with(x.to(a.dtype), a), b)
        return (x.to(a.dtype) @ a.t()) @ b.t()

    def dropped(self, state: LeafState) -> Tensor:
        """The input after dropout, which acts while training and on no ids."""
        is_dropping = self.training and self.config.dropout and self.place.kind != "embedding"
        return F.dropout(state.x, self.config.dropout) if is_dropping else state.x


def matrix(place: Place, a: Tensor, b: Tensor) -> Tensor:
    """B A, shaped as `Host.weight` shows the place's weight."""
    if place.kind == "conv":
        return (b @ a.flatten(1)).view(-1, *a.shape[1:])
    return b @ a
