"""Attention over queries, keys and values that are at hand: with a prefix in front, for any of its rows."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from adapter_lib.engine import Prefix
from adapter_lib.engine.rows import pick_rows, slice_rows
from adapter_lib.spec.errors import AttachError

# (module, query, key, value, mask, **kwargs) → (output [B, S, heads, head width], weights or None)
AttentionFunction = Callable[..., tuple[Tensor, Tensor | None]]


@dataclass(slots=True)
class KeysAndValues:
    """One call of an attention function.

    x: [B, S, d]. query: [B, heads, S, head width]; key and value: with K keys and perhaps fewer heads.
    mask: [B or 1, heads or 1, S or 1, K], bool (True is visible) or added to the scores; None hides nothing.
    bias: added to the scores, [B or 1, heads, S, K], and handed on as `position_bias`; or None.
    near: makes the bias [1, heads, S, P] of P tokens of which the first stands that many places before the
        first key: near(P, places). None: there is no such bias.
    """

    function: AttentionFunction
    module: nn.Module
    x: Tensor
    query: Tensor
    key: Tensor
    value: Tensor
    mask: Tensor | None
    bias: Tensor | None = None
    kwargs: dict[str, Any] = field(default_factory=dict)
    near: Callable[[int, int], Tensor] | None = None

    def call(self, prefix: Prefix | None) -> tuple[Tensor, Tensor | None]:
        """The function's own result, with the prefix in front of keys and values."""
        key, value, mask, bias = self.key, self.value, self.mask, self.bias
        if prefix is not None:
            keys = key.shape[-2]
            mask = mask_with(mask, prefix, keys, self.query.dtype)
            bias = None if bias is None else self._longer(bias[..., :keys], prefix)
            key, value = in_front(prefix.keys, key), in_front(prefix.values, value)
        given = self.kwargs if bias is None else self.kwargs | {"position_bias": bias}
        return self.function(self.module, self.query, key, value, mask, **given)

    def attend(self, prefix: Prefix | None) -> Tensor:
        """The output with its heads side by side, [B, S, heads · head width]."""
        return self.call(prefix)[0].flatten(2)

    def rows(self, start: int, stop: int, of: int) -> "KeysAndValues":
        """The shares of the rows from `start` up to `stop`, out of `of`."""
        return self._cut(lambda t: slice_rows(t, start, stop, of))

    def pick(self, index: Tensor, of: int) -> "KeysAndValues":
        """The shares of the rows with these numbers."""
        return self._cut(lambda t: pick_rows(t, index, of))

    def tokens(self, start: int, stop: int) -> "KeysAndValues":
        """The queries from `start` up to `stop`; the keys stay."""
        mask, bias = (
            t if t is None or t.shape[2] == 1 else t[:, :, start:stop] for t in (self.mask, self.bias)
        )
        return replace(
            self, x=self.x[:, start:stop], query=self.query[:, :, start:stop], mask=mask, bias=bias
        )

    def _longer(self, bias: Tensor, prefix: Prefix) -> Tensor:
        """The bias with the prefix's columns: zero, or where they count as tokens, that of their distance."""
        if prefix.counted is None or self.near is None:
            return F.pad(bias, (prefix.length, 0))
        if prefix.moves_keys:
            return self._moved(bias, prefix.counted, self.near)
        # The last of those that count is one token away from the first key, the one before it two …
        away = prefix.counted.flip(-1).cumsum(-1).flip(-1)
        columns = (prefix.length - away).clamp(max=prefix.length - 1)
        front = torch.stack([self.near(prefix.length, prefix.length)[0, :, :, row] for row in columns])
        front = front * prefix.counted[:, None, None].to(front.dtype)
        sizes = [max(front.shape[d], bias.shape[d]) for d in range(3)]
        return torch.cat([front.expand(*sizes, -1), bias.expand(*sizes, -1)], dim=-1)

    @staticmethod
    def _moved(bias: Tensor, counted: Tensor, near: Callable[[int, int], Tensor]) -> Tensor:
        """The bias where the tokens that count have the first positions, and the keys those behind them."""
        keys = torch.arange(bias.shape[-1], device=bias.device)
        own = (counted.cumsum(-1) - 1).clamp(min=0)
        positions = torch.cat([own, counted.sum(-1, keepdim=True) + keys], dim=-1)
        whole = near(positions.shape[-1], 0)[0]
        return whole[:, :, positions].permute(2, 0, 1, 3)

    def _cut(self, cut: Callable[[Tensor], Tensor]) -> "KeysAndValues":
        mask, bias = (None if t is None else cut(t) for t in (self.mask, self.bias))
        x, query, key, value = (cut(t) for t in (self.x, self.query, self.key, self.value))
        return replace(self, x=x, query=query, key=key, value=value, mask=mask, bias=bias)


def in_front(own: Tensor, those: Tensor) -> Tensor:
    """Prefix keys or values [B or 1, P, width] in front of an attention's [B, heads, K, head width].

    A head of the prefix serves as many heads as there are more of them than the prefix has.
    """
    rows, heads, _, width = those.shape
    if own.shape[-1] % width or heads % (own.shape[-1] // width):
        raise AttachError(
            f"A prefix {own.shape[-1]} wide does not fit keys or values of {heads} heads, each {width} wide."
        )
    split = own.view(*own.shape[:2], -1, width).transpose(1, 2)
    if split.shape[1] != heads:
        split = split.repeat_interleave(heads // split.shape[1], dim=1)
    return torch.cat([split.to(those.dtype).expand(rows, -1, -1, -1), those], dim=2)


def mask_with(mask: Tensor | None, prefix: Prefix, keys: int, dtype: torch.dtype) -> Tensor | None:
    """A mask over `keys` keys with the prefix's columns in front of it: visible, where the prefix is seen.

    Raises AttachError for a mask that is no [B, heads, S, K].
    """
    if mask is None:
        if prefix.seen is None:
            return None
        mask = torch.zeros((1, 1, 1, keys), dtype=dtype, device=prefix.seen.device)
    if not isinstance(mask, Tensor) or mask.dim() != 4:
        raise AttachError(
            "A prefix needs an attention mask of [rows, heads, queries, keys], as 'sdpa' and 'eager' take; "
            "load the model with attn_implementation='sdpa'."
        )
    mask = mask[..., :keys]
    front = prefix.sight()[:, None]
    if mask.dtype != torch.bool:
        front = torch.zeros_like(front, dtype=mask.dtype).masked_fill(~front, torch.finfo(mask.dtype).min)
    sizes = [max(front.shape[d], mask.shape[d]) for d in range(3)]
    return torch.cat([front.expand(*sizes, -1), mask.expand(*sizes, -1)], dim=-1)
