"""The state at a site: a sub-layer's output with its residual and the norm of their sum."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from adapter_lib.engine.call import NOTHING, Info
from adapter_lib.engine.rows import pick_rows, slice_rows
from adapter_lib.engine.states.leaf import weighted
from adapter_lib.engine.states.state import State, no_tokens
from adapter_lib.spec.errors import CompositionError


@dataclass(slots=True)
class SiteState(State):
    """The sub-layer's output h so far and its residual r, both [B, S, d].

    norm: the norm that the model applies to h + r (post-norm models), called without its hooks; else None.
    final: h is the site's last word: neither r nor the norm may touch it. One flag, or one per row [B, 1, 1].
    delta, stand: if the last adapter told them apart: h = stand + delta, with stand the adapter's residual.
    """

    h: Tensor
    r: Tensor
    norm: Callable[[Tensor], Tensor] | None
    final: bool | Tensor = False
    info: Info = NOTHING
    delta: Tensor | None = None
    stand: Tensor | None = None

    def height(self) -> int:
        return self.h.shape[0]

    def length(self) -> int:
        if self.h.dim() < 3:
            raise CompositionError(no_tokens("a sub-layer that sees its tokens one by one"))
        return self.h.shape[1]

    def made(self, delta: Tensor, stand: Tensor, *, final: bool) -> "SiteState":
        """The state after an adapter that adds `delta` to the residual `stand`."""
        return SiteState(stand + delta, self.r, self.norm, final, self.info, delta, stand)

    def spoken(self, h: Tensor, *, final: bool | Tensor) -> "SiteState":
        """The state after an adapter whose result is h as a whole."""
        return SiteState(h, self.r, self.norm, final, self.info)

    def normed(self) -> Tensor:
        """What the model itself would hand on: norm(h + r), or h + r in pre-norm models."""
        total = self.h + self.r
        return total if self.norm is None else self.norm(total)

    def fresh(self) -> "SiteState":
        return self if self.delta is None else self.spoken(self.h, final=self.final)

    def rows(self, start: int, stop: int, of: int) -> "SiteState":
        final = self.final if isinstance(self.final, bool) else slice_rows(self.final, start, stop, of)
        h, r = (slice_rows(t, start, stop, of) for t in (self.h, self.r))
        return SiteState(h, r, self.norm, final, self.info.rows(start, stop, of))

    def pick(self, index: Tensor, of: int) -> "SiteState":
        final = self.final if isinstance(self.final, bool) else pick_rows(self.final, index, of)
        h, r = (pick_rows(t, index, of) for t in (self.h, self.r))
        picked = SiteState(h, r, self.norm, final, self.info.pick(index, of))
        if self.delta is None or self.stand is None:
            return picked
        delta, stand = (pick_rows(t, index, of) for t in (self.delta, self.stand))
        return replace(picked, delta=delta, stand=stand)

    def tokens(self, start: int, stop: int) -> "SiteState":
        final = _tokens_of(self.final, start, stop)
        info = self.info.tokens(start, stop, self.length())
        return SiteState(self.h[:, start:stop], self.r[:, start:stop], self.norm, final, info)

    def cat(self, states: "Sequence[SiteState]") -> "SiteState":
        return self._joined(states, 0, _join(states, _per_row, 0))

    def cat_tokens(self, states: "Sequence[SiteState]") -> "SiteState":
        return self._joined(states, 1, _join(states, _per_token, 1))

    def mean(self, states: "Sequence[SiteState]", shares: Sequence[float | Tensor]) -> "SiteState":
        final = _any_final(states)
        mean = self._plain_mean(states, shares)
        if final is False:
            return mean
        # Where some speak after the norm, the mean is taken of what comes out behind it.
        settled = weighted([state.settled() for state in states], shares)
        if final is True:
            return self.spoken(settled, final=True)
        h = torch.where(final, settled, mean.h)
        if mean.delta is None:
            return self.spoken(h, final=final)
        delta = torch.where(final, settled - self.h, mean.delta)
        return replace(mean, h=h, final=final, delta=delta, stand=h - delta)

    def _plain_mean(self, states: "Sequence[SiteState]", shares: Sequence[float | Tensor]) -> "SiteState":
        mean = self.spoken(weighted([state.h for state in states], shares), final=False)
        if all(state.delta is None for state in states):
            return mean
        delta = weighted([self.added(state) for state in states], shares)
        return replace(mean, delta=delta, stand=mean.h - delta)

    def _joined(self, states: "Sequence[SiteState]", dim: int, final: bool | Tensor) -> "SiteState":
        """Rows (dim 0) or tokens (dim 1) put together; what an adapter told apart stays told apart."""
        joined = self.spoken(torch.cat([s.h for s in states], dim=dim), final=final)
        if all(state.delta is None for state in states):
            return joined
        before = torch.split(self.h.expand_as(joined.h), [state.h.shape[dim] for state in states], dim=dim)
        pairs = list(zip(before, states, strict=True))
        delta = torch.cat([s.h - own if s.delta is None else s.delta for own, s in pairs], dim=dim)
        stand = torch.cat([own if s.stand is None else s.stand for own, s in pairs], dim=dim)
        return replace(joined, delta=delta, stand=stand)

    def settled(self) -> Tensor:
        """What comes out of the site: h itself where it is final, else what the model makes of it."""
        if self.final is True:
            return self.h
        return self.normed() if self.final is False else torch.where(self.final, self.h, self.normed())

    def features(self) -> Tensor:
        return self.h

    def query(self, *, is_normed: bool = True) -> Tensor:
        return self.normed() if is_normed else self.h

    def residual(self, after: "SiteState") -> Tensor:
        return self.h if after.stand is None else after.stand

    def added(self, after: "SiteState") -> Tensor:
        return after.h - self.h if after.delta is None else after.delta

    def plus(self, total: Tensor, like: "SiteState") -> "SiteState":
        stand = self.residual(like)
        return SiteState(stand + total, self.r, self.norm, like.final, self.info, total, stand)

    def scaled(self, after: "SiteState", gate: Tensor) -> "SiteState":
        if after.delta is not None and after.stand is not None:
            return replace(after, h=after.stand + gate * after.delta, delta=gate * after.delta)
        return replace(after, h=self.h + gate * (after.h - self.h))


def _tokens_of(final: bool | Tensor, start: int, stop: int) -> bool | Tensor:
    if isinstance(final, bool) or final.shape[1] == 1:
        return final
    return final[:, start:stop]


def _any_final(states: Sequence[SiteState]) -> bool | Tensor:
    """Whether any of the states is final: one answer, or one per row (and token)."""
    if any(state.final is True for state in states):
        return True
    tensors = [state.final for state in states if isinstance(state.final, Tensor)]
    found: bool | Tensor = tensors[0] if tensors else False
    for more in tensors[1:]:
        found = found | more
    return found


def _join(states: Sequence[SiteState], spread: Callable[[SiteState], Tensor], dim: int) -> bool | Tensor:
    """One flag if all agree, else the flags spread out and put together."""
    first = states[0].final
    if isinstance(first, bool) and all(state.final is first for state in states):
        return first
    return torch.cat([spread(state) for state in states], dim=dim)


def _per_row(state: SiteState) -> Tensor:
    """[B, S or 1, 1]"""
    if isinstance(state.final, Tensor):
        return state.final.expand(-1, state.h.shape[1], -1)
    shape = (*state.h.shape[:-1], 1)
    return torch.full(shape, state.final, dtype=torch.bool, device=state.h.device)


def _per_token(state: SiteState) -> Tensor:
    """[B, S, 1]"""
    return _per_row(state).expand(state.h.shape[0], -1, -1)
