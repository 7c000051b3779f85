"""LoKr; the equation stands at `LoKrConfig`."""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from adapter_lib.engine import LeafState
from adapter_lib.methods.dense_update import DenseUpdate
from adapter_lib.methods.registry import Method, register_method
from adapter_lib.spec.configs import LoKrConfig, Shapes


class LoKr(DenseUpdate):
    """D (or its left factor) starts at zero, everything else Kaiming-uniform: at first nothing changes."""

    config: LoKrConfig

    def make(self, shapes: Shapes, like: Tensor) -> None:
        super().make(shapes, like)
        (_, self._out), (_, self._in) = (
            self.config.split(width) for width in (self.place.width_out, self.place.width_in)
        )

    def initialise(self) -> None:
        for name, parameter in self.named_parameters(recurse=False):
            if name in ("d", "d_b"):
                nn.init.zeros_(parameter)
            else:
                nn.init.kaiming_uniform_(parameter, a=math.sqrt(5))

    def single(self, state: LeafState) -> LeafState:
        if self.place.extent:
            return super().single(state)
        left = self._side("c") * self.config.scale
        x = torch.unflatten(state.x.to(left.dtype), -1, (-1, self._in))
        # (C ⊗ D) x: D on every piece of x, C across the pieces.
        pieces = F.linear(x, self.get_parameter("d")) if hasattr(self, "d") else self._low(x)
        added = torch.einsum("oi,...ik->...ok", left, pieces).flatten(-2)
        return state.with_y(state.y + added.to(state.y.dtype))

    def delta(self) -> Tensor:
        left = self._side("c") * self.config.scale
        right = self._side("d").view(self._out, self._in, *self.place.extent)
        return torch.kron(left.view(*left.shape, *(1 for _ in self.place.extent)), right)

    def _side(self, name: str) -> Tensor:
        """C or D, multiplied out."""
        if hasattr(self, name):
            return self.get_parameter(name)
        return self.get_parameter(f"{name}_b") @ self.get_parameter(f"{name}_a")

    def _low(self, x: Tensor) -> Tensor:
        return F.linear(F.linear(x, self.get_parameter("d_a")), self.get_parameter("d_b"))


register_method(
    Method(
        name="lokr",
        config=LoKrConfig,
        part=LoKr,
        presets=("lokr",),
        summary="A Kronecker product as update: very few parameters, yet of high rank.",
        paper="https://arxiv.org/abs/2309.14859",
        learning_rate=5e-3,
        is_product=True,
    )
)
