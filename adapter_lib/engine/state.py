"""What flows through a composition at one point: small records of batch-first tensors.

A state can be cut into rows and put together again; that is all the evaluator needs to know about it.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple, Protocol, Self

import torch
from torch import Tensor


class State(Protocol):
    """A record of tensors whose first dimension is the batch."""

    def height(self) -> int:
        """The number of rows."""
        ...

    def rows(self, start: int, stop: int) -> Self:
        """The rows from `start` up to `stop`, as views."""
        ...

    def cat(self, states: Sequence[Self]) -> Self:
        """The given states, one below the other; `self` only lends its type."""
        ...


class LeafState(NamedTuple):
    """At a linear map: its input x [..., in] and its output y [..., out] so far."""

    x: Tensor
    y: Tensor

    def height(self) -> int:
        return self.y.shape[0]

    def rows(self, start: int, stop: int) -> "LeafState":
        return LeafState(self.x[start:stop], self.y[start:stop])

    def cat(self, states: "Sequence[LeafState]") -> "LeafState":
        return LeafState(torch.cat([s.x for s in states]), torch.cat([s.y for s in states]))


class SiteState(NamedTuple):
    """At a site: the sub-layer's output h so far and its residual r, both [B, S, d].

    norm: the norm that the model applies to h + r (post-norm models), called without its hooks; else None.
    final: h is the site's last word: neither r nor the norm may touch it. One flag, or one per row [B, 1, 1].
    """

    h: Tensor
    r: Tensor
    norm: Callable[[Tensor], Tensor] | None
    final: bool | Tensor = False

    def height(self) -> int:
        return self.h.shape[0]

    def rows(self, start: int, stop: int) -> "SiteState":
        final = self.final if isinstance(self.final, bool) else self.final[start:stop]
        return SiteState(self.h[start:stop], self.r[start:stop], self.norm, final)

    def cat(self, states: "Sequence[SiteState]") -> "SiteState":
        h, r = torch.cat([s.h for s in states]), torch.cat([s.r for s in states])
        return SiteState(h, r, self.norm, _cat_final(states))


def _cat_final(states: Sequence[SiteState]) -> bool | Tensor:
    first = states[0].final
    if isinstance(first, bool) and all(s.final is first for s in states):
        return first
    return torch.cat([_final_rows(s) for s in states])


def _final_rows(state: SiteState) -> Tensor:
    if isinstance(state.final, Tensor):
        return state.final
    shape = (state.h.shape[0], *(1 for _ in state.h.shape[1:]))
    return torch.full(shape, state.final, dtype=torch.bool, device=state.h.device)
