"""Linear maps one after the other, and a state per row or per token in front of them."""

from typing import TypeVar

from torch import Tensor, nn
from torch.nn import functional as F

from adapter_lib.heads.activations import activation_of
from adapter_lib.heads.base import Head, Scores
from adapter_lib.heads.given import Given
from adapter_lib.heads.pooling import POOLINGS
from adapter_lib.spec.heads import PooledSpec, TokenSpec
from adapter_lib.spec.heads.linears import LinearSpec

L = TypeVar("L", bound=LinearSpec)
P = TypeVar("P", bound=PooledSpec)
T = TypeVar("T", bound=TokenSpec)


class LinearHead(Head[L]):
    """Before every linear layer stands the dropout, between them the activation. They are named `0`, `1` …"""

    def __init__(self, spec: L, hidden_size: int, like: Tensor) -> None:
        super().__init__(spec, hidden_size, like)
        self.act = activation_of(spec.activation)
        widths = [hidden_size] * spec.layers + [spec.outputs()]
        for i in range(spec.layers):
            bias = spec.use_bias or i < spec.layers - 1
            linear = nn.Linear(widths[i], widths[i + 1], bias=bias, device=like.device, dtype=like.dtype)
            self.add_module(str(i), linear)

    def mapped(self, x: Tensor) -> Tensor:
        """Scores [..., outputs] of states [..., d]."""
        for i in range(self.spec.layers):
            x = self.act(x) if i else x
            x = self.get_submodule(str(i))(F.dropout(x, self.spec.dropout, self.training))
        return x


class PooledHead(LinearHead[P]):
    """[B, S, d] → [B, outputs]."""

    def scores(self, hidden: Tensor, given: Given) -> Scores:
        return (self.mapped(self.pooled(hidden, given)),)

    def pooled(self, hidden: Tensor, given: Given) -> Tensor:
        """One state per row, [B, d]."""
        return POOLINGS[self.spec.pooling](hidden, given)


class TokenHead(LinearHead[T]):
    """[B, S, d] → [B, S, outputs]."""

    def scores(self, hidden: Tensor, given: Given) -> Scores:
        return (self.mapped(hidden),)
