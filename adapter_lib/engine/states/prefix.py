"""Keys and values that stand in front of an attention's own, cut and joined like any tensor of a state."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from adapter_lib.engine.rows import pick_rows, slice_rows


@dataclass(slots=True)
class Prefix:
    """keys, values: [B or 1, P, width of the keys].

    seen: [B or 1, S or 1, P], which query sees which of them; None: every query sees all.
    counted: [B or 1, P], which of them count as tokens that stand before the first key; None: none does.
    moves_keys: those that count have the positions from 0, and the keys those behind them.
    """

    keys: Tensor
    values: Tensor
    seen: Tensor | None = None
    counted: Tensor | None = None
    moves_keys: bool = False

    @property
    def length(self) -> int:
        """P."""
        return self.keys.shape[1]

    def sight(self) -> Tensor:
        """`seen`, spelled out."""
        return self.keys.new_ones((1, 1, self.length), dtype=torch.bool) if self.seen is None else self.seen

    def counting(self) -> Tensor:
        """`counted`, spelled out."""
        if self.counted is None:
            return self.keys.new_zeros((1, self.length), dtype=torch.bool)
        return self.counted

    def rows(self, start: int, stop: int, of: int) -> "Prefix":
        """The shares of the rows from `start` up to `stop`."""
        seen, counted = (
            None if t is None else slice_rows(t, start, stop, of) for t in (self.seen, self.counted)
        )
        keys, values = (slice_rows(t, start, stop, of) for t in (self.keys, self.values))
        return Prefix(keys, values, seen, counted, self.moves_keys)

    def pick(self, index: Tensor, of: int) -> "Prefix":
        """The shares of the rows with these numbers."""
        seen, counted = (None if t is None else pick_rows(t, index, of) for t in (self.seen, self.counted))
        keys, values = (pick_rows(t, index, of) for t in (self.keys, self.values))
        return Prefix(keys, values, seen, counted, self.moves_keys)

    def tokens(self, start: int, stop: int) -> "Prefix":
        """As the queries from `start` up to `stop` see it."""
        if self.seen is None or self.seen.shape[1] == 1:
            return self
        return Prefix(self.keys, self.values, self.seen[:, start:stop], self.counted, self.moves_keys)

    def before(self, other: "Prefix | None") -> "Prefix":
        """This one to the left of another."""
        if other is None:
            return self
        keys = _join([self.keys, other.keys], 1)
        is_whole = self.seen is None and other.seen is None
        seen = None if is_whole else _join([self.sight(), other.sight()], 2)
        is_apart = self.counted is None and other.counted is None
        counted = None if is_apart else _join([self.counting(), other.counting()], 1)
        values, moves_keys = _join([self.values, other.values], 1), self.moves_keys or other.moves_keys
        return Prefix(keys, values, seen, counted, moves_keys)


Piece = tuple[Prefix | None, int]
"""A prefix and how many rows (or tokens) it is for."""


def below(pieces: Sequence[Piece]) -> Prefix | None:
    """One prefix for all rows, piece below piece; the shorter ones are filled up with what nobody sees."""
    given = [prefix for prefix, _ in pieces if prefix is not None]
    if not given:
        return None
    longest = max(prefix.length for prefix in given)
    filled = [_filled(prefix, rows, longest, given[0]) for prefix, rows in pieces]
    is_even = all(prefix is not None and prefix.length == longest for prefix, _ in pieces)
    is_whole = is_even and all(prefix.seen is None for prefix in given)
    sights = [prefix.sight() for prefix in filled]
    queries = max(sight.shape[1] for sight in sights)
    spread = [sight.expand(rows, queries, longest) for sight, (_, rows) in zip(sights, pieces, strict=True)]
    keys, values = torch.cat([p.keys for p in filled]), torch.cat([p.values for p in filled])
    counted: Tensor | None = None
    if any(prefix.counted is not None for prefix in given):
        pairs = zip(filled, pieces, strict=True)
        counted = torch.cat([p.counting().expand(rows, longest) for p, (_, rows) in pairs])
    moves_keys = any(prefix.moves_keys for prefix in given)
    return Prefix(keys, values, None if is_whole else torch.cat(spread), counted, moves_keys)


def along(pieces: Sequence[Piece]) -> Prefix | None:
    """One prefix for all tokens: every piece's tokens see their own part of it."""
    total, start = sum(tokens for _, tokens in pieces), 0
    parts: list[Prefix] = []
    for prefix, tokens in pieces:
        if prefix is not None:
            sight = prefix.sight()
            sight = sight.expand(sight.shape[0], tokens, prefix.length)
            seen = F.pad(sight, (0, 0, start, total - start - tokens), value=False)
            parts.append(Prefix(prefix.keys, prefix.values, seen, prefix.counted, prefix.moves_keys))
        start += tokens
    joined: Prefix | None = None
    for part in reversed(parts):
        joined = part.before(joined)
    return joined


def _filled(prefix: Prefix | None, rows: int, longest: int, like: Prefix) -> Prefix:
    """`longest` keys for each of the rows, the missing ones on the left."""
    if prefix is None:
        nothing = like.keys.new_zeros((rows, longest, like.keys.shape[2]))
        return Prefix(nothing, nothing, nothing.new_zeros((1, 1, longest), dtype=torch.bool))
    missing = longest - prefix.length
    keys = F.pad(prefix.keys, (0, 0, missing, 0)).expand(rows, -1, -1)
    values = F.pad(prefix.values, (0, 0, missing, 0)).expand(rows, -1, -1)
    if not missing:
        return Prefix(keys, values, prefix.seen, prefix.counted, prefix.moves_keys)
    counted = None if prefix.counted is None else F.pad(prefix.counted, (missing, 0), value=False)
    sight = F.pad(prefix.sight(), (missing, 0), value=False)
    return Prefix(keys, values, sight, counted, prefix.moves_keys)


def _join(tensors: Sequence[Tensor], dim: int) -> Tensor:
    """The tensors one behind the other along `dim`, spread out where one of the others has a single row."""
    sizes = [max(t.shape[d] for t in tensors) for d in range(tensors[0].dim())]
    spread = [t.expand([t.shape[d] if d == dim else size for d, size in enumerate(sizes)]) for t in tensors]
    return torch.cat(spread, dim=dim)
