"""The state at a linear map."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from adapter_lib.engine.call import NOTHING, Info
from adapter_lib.engine.rows import pick_rows, slice_rows
from adapter_lib.engine.states.state import State, no_tokens
from adapter_lib.spec.errors import CompositionError


@dataclass(slots=True)
class LeafState(State):
    """Input and output of a map with weights.

    x: [..., in], or the ids [...] of an embedding.
    y: [..., out], the output so far.
    base: [..., out], the map's own output, bias included.
    """

    x: Tensor
    y: Tensor
    base: Tensor
    info: Info = NOTHING

    def height(self) -> int:
        return self.y.shape[0]

    def length(self) -> int:
        if self.y.dim() < 3:
            raise CompositionError(no_tokens("a linear map that sees its tokens one by one"))
        return self.y.shape[-2]

    def with_y(self, y: Tensor) -> "LeafState":
        """The same with another output."""
        return type(self)(self.x, y, self.base, self.info)

    def rows(self, start: int, stop: int, of: int) -> "LeafState":
        return type(self)(
            slice_rows(self.x, start, stop, of),
            slice_rows(self.y, start, stop, of),
            slice_rows(self.base, start, stop, of),
            self.info.rows(start, stop, of),
        )

    def pick(self, index: Tensor, of: int) -> "LeafState":
        x, y, base = (pick_rows(t, index, of) for t in (self.x, self.y, self.base))
        return type(self)(x, y, base, self.info.pick(index, of))

    def tokens(self, start: int, stop: int) -> "LeafState":
        x = self.x[:, start:stop] if self.x.dim() < self.y.dim() else self.x[..., start:stop, :]
        info = self.info.tokens(start, stop, self.length())
        return LeafState(x, self.y[..., start:stop, :], self.base[..., start:stop, :], info)

    def cat(self, states: "Sequence[LeafState]") -> "LeafState":
        return self.with_y(torch.cat([s.y for s in states]))

    def cat_tokens(self, states: "Sequence[LeafState]") -> "LeafState":
        return self.with_y(torch.cat([s.y for s in states], dim=-2))

    def mean(self, states: "Sequence[LeafState]", shares: Sequence[float | Tensor]) -> "LeafState":
        return self.with_y(weighted([s.y for s in states], shares))

    def features(self) -> Tensor:
        # Ids have no features; what the embedding makes of them has.
        return self.x if self.x.is_floating_point() else self.base

    def query(self, *, is_normed: bool = True) -> Tensor:
        return self.y

    def residual(self, after: "LeafState") -> Tensor:
        return self.y

    def added(self, after: "LeafState") -> Tensor:
        return after.y - self.y

    def plus(self, total: Tensor, like: "LeafState") -> "LeafState":
        return self.with_y(self.y + total)

    def scaled(self, after: "LeafState", gate: Tensor) -> "LeafState":
        return replace(after, y=self.y + gate * (after.y - self.y))


class GridState(LeafState):
    """Input and output of a convolution, [B, channels, …]."""

    __slots__ = ()

    def length(self) -> int:
        raise CompositionError(no_tokens("a convolution"))


def weighted(values: Sequence[Tensor], shares: Sequence[float | Tensor]) -> Tensor:
    """The sum of values, each times its share."""
    total = values[0] * shares[0]
    for value, part in zip(values[1:], shares[1:], strict=True):
        total = total + value * part
    return total
