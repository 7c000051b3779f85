"""The state at an attention: what stands in front of its keys and values."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

import torch
from torch import Tensor

from adapter_lib.engine.call import Info
from adapter_lib.engine.rows import pick_rows, slice_rows
from adapter_lib.engine.states.prefix import Prefix, along, below
from adapter_lib.engine.states.state import State, no_tokens
from adapter_lib.spec.errors import CompositionError

AFTER_FUSE = (
    "A prefix acts in front of the attention and a Fuse behind it, so no prefix can follow a Fuse: "
    "put the Fuse last."
)


class Attention(Protocol):
    """One call of an attention, or the rows and tokens of it that a state is about."""

    @property
    def x(self) -> Tensor:
        """The hidden states that the queries are made of, [B, S, d]."""
        ...

    def rows(self, start: int, stop: int, of: int) -> "Attention":
        """The shares of the rows from `start` up to `stop`, out of `of`."""
        ...

    def pick(self, index: Tensor, of: int) -> "Attention":
        """The shares of the rows with these numbers."""
        ...

    def tokens(self, start: int, stop: int) -> "Attention":
        """The queries from `start` up to `stop`; the keys stay."""
        ...

    def attend(self, prefix: Prefix | None) -> Tensor:
        """What the attention gives to its output projection, [B, S, heads · head width]."""
        ...


@dataclass(slots=True)
class Branch:
    """One way of attending, and what it counts: a number or [B or 1, S or 1, 1]."""

    prefix: Prefix | None = None
    share: float | Tensor = 1.0


@dataclass(slots=True)
class AttentionState(State):
    """Nothing is computed before somebody asks for the output: most blocks only decide who sees which prefix.

    branches: the ways of attending whose weighted sum is the output; Average and Route make several.
    settled: the output [B, S, heads · head width] where a block has combined outputs, else None.
    """

    attention: Attention
    info: Info
    branches: tuple[Branch, ...]
    settled: Tensor | None = None
    # The output once it was computed: a Fuse asks for it again and again.
    known: list[Tensor] = field(default_factory=list)

    @classmethod
    def of(cls, attention: Attention, info: Info) -> "AttentionState":
        """Nothing stands in front yet."""
        return cls(attention, info, (Branch(),))

    def height(self) -> int:
        return self.attention.x.shape[0]

    def length(self) -> int:
        if self.attention.x.dim() < 3:
            raise CompositionError(no_tokens("an attention that sees its tokens one by one"))
        return self.attention.x.shape[1]

    def prepended(
        self, keys: Tensor, values: Tensor, *, is_counted: bool = False, moves_keys: bool = False
    ) -> "AttentionState":
        """The state with keys and values [B or 1, P, width] in front of all there are.

        is_counted: they count as tokens where the attention goes by distances. moves_keys: they count as the
        first tokens, and move the keys but not the queries.
        """
        if self.settled is not None:
            raise CompositionError(AFTER_FUSE)
        is_told = is_counted or moves_keys
        counted = keys.new_ones((1, keys.shape[1]), dtype=torch.bool) if is_told else None
        new = Prefix(keys, values, counted=counted, moves_keys=moves_keys)
        branches = tuple(Branch(new.before(branch.prefix), branch.share) for branch in self.branches)
        return AttentionState(self.attention, self.info, branches)

    def lone(self) -> Branch | None:
        """The only way of attending, if it is all there is to the output."""
        first = self.branches[0]
        is_all = isinstance(first.share, float) and first.share == 1.0
        return first if self.settled is None and len(self.branches) == 1 and is_all else None

    def output(self) -> Tensor:
        """What goes to the output projection, [B, S, heads · head width]."""
        if self.settled is not None:
            return self.settled
        if not self.known:
            given = [self.attention.attend(branch.prefix) for branch in self.branches]
            total = given[0] * self.branches[0].share
            for more, branch in zip(given[1:], self.branches[1:], strict=True):
                total = total + more * branch.share
            self.known.append(total)
        return self.known[0]

    def rows(self, start: int, stop: int, of: int) -> "AttentionState":
        settled = None if self.settled is None else slice_rows(self.settled, start, stop, of)
        branches = tuple(
            Branch(b.prefix and b.prefix.rows(start, stop, of), _rows_of(b.share, start, stop, of))
            for b in self.branches
        )
        info = self.info.rows(start, stop, of)
        return AttentionState(self.attention.rows(start, stop, of), info, branches, settled)

    def pick(self, index: Tensor, of: int) -> "AttentionState":
        settled = None if self.settled is None else pick_rows(self.settled, index, of)
        branches = tuple(
            Branch(b.prefix and b.prefix.pick(index, of), _picked(b.share, index, of)) for b in self.branches
        )
        return AttentionState(self.attention.pick(index, of), self.info.pick(index, of), branches, settled)

    def tokens(self, start: int, stop: int) -> "AttentionState":
        settled = None if self.settled is None else self.settled[:, start:stop]
        branches = tuple(
            Branch(b.prefix and b.prefix.tokens(start, stop), _tokens_of(b.share, start, stop))
            for b in self.branches
        )
        info = self.info.tokens(start, stop, self.length())
        return AttentionState(self.attention.tokens(start, stop), info, branches, settled)

    def cat(self, states: "Sequence[AttentionState]") -> "AttentionState":
        if any(state.settled is not None for state in states):
            return replace(self, settled=torch.cat([state.output() for state in states]), known=[])
        sizes = [(state.height(), state.length()) for state in states]
        branches = tuple(_beside(column, sizes, 0) for column in _columns(states))
        return replace(self, branches=branches, known=[])

    def cat_tokens(self, states: "Sequence[AttentionState]") -> "AttentionState":
        if any(state.settled is not None for state in states):
            return replace(self, settled=torch.cat([state.output() for state in states], dim=1), known=[])
        sizes = [(self.height(), state.length()) for state in states]
        branches = tuple(_beside(column, sizes, 1) for column in _columns(states))
        return replace(self, branches=branches, known=[])

    def mean(self, states: "Sequence[AttentionState]", shares: Sequence[float | Tensor]) -> "AttentionState":
        if any(state.settled is not None for state in states):
            outputs = [state.output() * share for state, share in zip(states, shares, strict=True)]
            return replace(self, settled=torch.stack(outputs).sum(0), known=[])
        branches = tuple(
            Branch(branch.prefix, branch.share * share)
            for state, share in zip(states, shares, strict=True)
            for branch in state.branches
        )
        return replace(self, branches=branches, known=[])

    def features(self) -> Tensor:
        return self.attention.x

    def query(self, *, is_normed: bool = True) -> Tensor:
        return self.output()

    def residual(self, after: "AttentionState") -> Tensor:
        return self.output()

    def added(self, after: "AttentionState") -> Tensor:
        return after.output() - self.output()

    def plus(self, total: Tensor, like: "AttentionState") -> "AttentionState":
        return replace(self, settled=self.output() + total, known=[])

    def scaled(self, after: "AttentionState", gate: Tensor) -> "AttentionState":
        return self.mean([self, after], [1 - gate, gate])


def _rows_of(share: float | Tensor, start: int, stop: int, of: int) -> float | Tensor:
    return share if isinstance(share, float) else slice_rows(share, start, stop, of)


def _picked(share: float | Tensor, index: Tensor, of: int) -> float | Tensor:
    return share if isinstance(share, float) else pick_rows(share, index, of)


def _tokens_of(share: float | Tensor, start: int, stop: int) -> float | Tensor:
    return share if isinstance(share, float) or share.shape[1] == 1 else share[:, start:stop]


def _columns(states: Sequence[AttentionState]) -> list[list[Branch]]:
    """The states' first ways of attending, their second …; a state that has no more counts none."""
    most = max(len(state.branches) for state in states)
    return [
        [state.branches[i] if i < len(state.branches) else Branch(None, 0.0) for state in states]
        for i in range(most)
    ]


def _beside(column: Sequence[Branch], sizes: Sequence[tuple[int, int]], dim: int) -> Branch:
    """One branch of several pieces, each of so many rows and tokens, joined along rows (0) or tokens (1)."""
    pieces = [(branch.prefix, size[dim]) for branch, size in zip(column, sizes, strict=True)]
    prefix = below(pieces) if dim == 0 else along(pieces)
    return Branch(prefix, _shares([branch.share for branch in column], sizes, dim))


def _shares(shares: Sequence[float | Tensor], sizes: Sequence[tuple[int, int]], dim: int) -> float | Tensor:
    """The shares of several pieces, each of so many rows and tokens, joined along rows (0) or tokens (1)."""
    first = shares[0]
    if isinstance(first, float) and all(isinstance(share, float) and share == first for share in shares):
        return first
    like = next((share for share in shares if isinstance(share, Tensor)), torch.empty(0))
    spread = [share if isinstance(share, Tensor) else like.new_full((1, 1, 1), share) for share in shares]
    return torch.cat([share.expand(*size, 1) for share, size in zip(spread, sizes, strict=True)], dim=dim)
