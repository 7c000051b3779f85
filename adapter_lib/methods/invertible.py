"""Invertible adapters; the equations stand at `InvertibleConfig`."""

from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from adapter_lib.engine import HiddenState, Part, Shared
from adapter_lib.methods.non_linearities import non_linearity
from adapter_lib.methods.registry import Method, register_method
from adapter_lib.spec.configs import InvertibleConfig, MethodConfig, Shapes
from adapter_lib.spec.roles import HEAD_ROLE

# c of the paper's code: no scale leaves exp(± c).
_CLAMP = 5.0
_ATAN_TO_ONE = 0.636


class Coupling(Shared):
    """F and G, which both ends share, and the bijection that they make."""

    config: InvertibleConfig

    def __init__(self, config: MethodConfig, shapes: Shapes, like: Tensor) -> None:
        super().__init__(config, shapes, like)
        self.act = non_linearity(self.config.non_linearity)

    def initialise(self) -> None:
        for name, parameter in self.named_parameters():
            if name.endswith("weight"):
                nn.init.normal_(parameter, std=0.02)
            else:
                nn.init.zeros_(parameter)

    def forward(self, x: Tensor) -> Tensor:
        """y [..., d] for x [..., d]."""
        x1, x2 = x.chunk(2, dim=-1)
        y1 = self._onto(x1, "f", x2)
        y2 = self._onto(x2, "g", y1)
        return torch.cat([y1, y2], dim=-1)

    def inverse(self, y: Tensor) -> Tensor:
        """x [..., d] for y [..., d]."""
        y1, y2 = y.chunk(2, dim=-1)
        x2 = self._off(y2, "g", y1)
        x1 = self._off(y1, "f", x2)
        return torch.cat([x1, x2], dim=-1)

    def _onto(self, half: Tensor, net: str, other: Tensor) -> Tensor:
        """One half, moved by a network of the other half."""
        out = self._network(net, other)
        if self.config.coupling == "nice":
            return half + out
        s, t = out.chunk(2, dim=-1)
        return half * _scale(s) + t

    def _off(self, half: Tensor, net: str, other: Tensor) -> Tensor:
        """What `_onto` did, undone."""
        out = self._network(net, other)
        if self.config.coupling == "nice":
            return half - out
        s, t = out.chunk(2, dim=-1)
        return (half - t) / _scale(s)

    def _network(self, net: str, x: Tensor) -> Tensor:
        first, second = (getattr(self, net).get_submodule(layer) for layer in ("0", "2"))
        inner = F.linear(x.to(first.weight.dtype), first.weight, first.bias)
        return F.linear(self.act(inner), second.weight, second.bias).to(x.dtype)


class Invertible(Part):
    """One end: the bijection at the embeddings, or its inverse in front of the head."""

    config: InvertibleConfig

    def initialise(self) -> None:
        """The shared part has all there is."""

    def single(self, state: HiddenState) -> HiddenState:
        coupling = cast("Coupling", self.shared)
        is_head = self.place.role == HEAD_ROLE
        return state.with_h(coupling.inverse(state.h) if is_head else coupling(state.h))


def _scale(s: Tensor) -> Tensor:
    """e(s): positive, and bounded on both sides."""
    return torch.exp(_ATAN_TO_ONE * _CLAMP * torch.atan(s / _CLAMP))


register_method(
    Method(
        name="invertible",
        config=InvertibleConfig,
        part=Invertible,
        shared=Coupling,
        presets=("nice", "glow"),
        summary="A bijection of the embeddings that is undone in front of the language-model head.",
        paper="https://arxiv.org/abs/2005.00052",
        learning_rate=1e-3,
    )
)
