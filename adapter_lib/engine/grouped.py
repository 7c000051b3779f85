"""Many low-rank adapters in one batch as one product, never one after the other."""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F
from torch.nn.utils.rnn import pad_sequence

from adapter_lib.engine.states import LeafState


class LowRank(NamedTuple):
    """One update y += scale · (x aᵀ) bᵀ with a [r, in] and b [out, r]; `dropout` acts on x."""

    a: Tensor
    b: Tensor
    scale: float
    dropout: float


def add_low_rank(state: LeafState, update: LowRank) -> Tensor:
    """y after one update; two fused products where the types allow it."""
    x = F.dropout(state.x, update.dropout) if update.dropout else state.x
    if not _fits(x, state.y, update.a):
        delta = (x.to(update.a.dtype) @ update.a.t()) @ update.b.t()
        return state.y + (delta * update.scale).to(state.y.dtype)
    y = state.y
    low = x.reshape(-1, x.shape[-1]) @ update.a.t()
    return torch.addmm(y.reshape(-1, y.shape[-1]), low, update.b.t(), alpha=update.scale).view(y.shape)


def add_low_rank_groups(state: LeafState, groups: Sequence[Sequence[LowRank]]) -> Tensor:
    """y after the updates of every channel: rows [k·B, (k + 1)·B) get those of groups[k], all in one product.

    Channels with more updates (stacked adapters) have the sum of the ranks; shorter ones are filled up with
    zeros. Each row draws one dropout mask, which the adapters stacked in its channel share; should these have
    different rates, one mask will not do and the channels are computed one by one.
    """
    if any(len(group) > 1 and len({update.dropout for update in group}) > 1 for group in groups):
        return _one_by_one(state, groups)
    x, y, scale = _drop(state.x, groups), state.y, _first(groups).scale
    a, b = _stack(groups, scale, y.shape[-1])
    fits = _fits(x, y, a)
    channels = len(groups)
    low = torch.bmm((x if fits else x.to(a.dtype)).reshape(channels, -1, x.shape[-1]), a.transpose(1, 2))
    rows = y.reshape(channels, -1, y.shape[-1])
    if fits:
        return torch.baddbmm(rows, low, b, alpha=scale).view(y.shape)
    return y + (torch.bmm(low, b) * scale).to(y.dtype).view(y.shape)


def _one_by_one(state: LeafState, groups: Sequence[Sequence[LowRank]]) -> Tensor:
    results = []
    for i, group in enumerate(groups):
        piece = state.rows(i, i + 1, len(groups))
        for update in group:
            piece = piece.with_y(add_low_rank(piece, update))
        results.append(piece.y)
    return torch.cat(results)


def _stack(groups: Sequence[Sequence[LowRank]], scale: float, width_out: int) -> tuple[Tensor, Tensor]:
    """(a [N, R, in], b [N, R, out]) over the groups; a takes differences of scale."""
    like = _first(groups)
    if all(len(g) == 1 and g[0].scale == scale and g[0].a.shape == like.a.shape for g in groups):
        # The common case, and the fast one: nothing to fill up.
        return torch.stack([g[0].a for g in groups]), torch.stack([g[0].b for g in groups]).transpose(1, 2)
    no_a, no_b = like.a.new_empty((0, like.a.shape[1])), like.b.new_empty((0, width_out))
    a = [_join([u.a if u.scale == scale else u.a * (u.scale / scale) for u in g], no_a) for g in groups]
    b = [_join([u.b.t() for u in g], no_b) for g in groups]
    return pad_sequence(a, batch_first=True), pad_sequence(b, batch_first=True)


def _join(tensors: list[Tensor], empty: Tensor) -> Tensor:
    if not tensors:
        return empty
    return tensors[0] if len(tensors) == 1 else torch.cat(tensors)


def _first(groups: Sequence[Sequence[LowRank]]) -> LowRank:
    return next(update for group in groups for update in group)


def _drop(x: Tensor, groups: Sequence[Sequence[LowRank]]) -> Tensor:
    """x [N·B, …] after each channel's dropout."""
    rates = [group[0].dropout if group else 0.0 for group in groups]
    if not any(rates):
        return x
    if len(set(rates)) == 1:
        return F.dropout(x, rates[0])
    keep = x.new_tensor([1 - rate for rate in rates]).repeat_interleave(x.shape[0] // len(groups))
    keep = keep.view(-1, *(1 for _ in x.shape[1:]))
    return x * (torch.rand_like(x) < keep) / keep


def _fits(x: Tensor, y: Tensor, a: Tensor) -> bool:
    """True if one product may take them as they are: equal types, or autocast makes them equal."""
    return (x.dtype == y.dtype == a.dtype) or torch.is_autocast_enabled(x.device.type)
