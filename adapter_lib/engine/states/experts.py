"""The state where a mixture of experts is called: two weight tensors with a non-linearity between them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from adapter_lib.engine.call import NOTHING, Info
from adapter_lib.engine.rows import pick_rows, share, slice_rows
from adapter_lib.engine.states.state import State, no_tokens
from adapter_lib.spec.errors import CompositionError

Deltas = Mapping[str, Tensor]
# What the router hands over, each [T, …]: hidden states, the chosen experts, their weights.
Given = tuple[Tensor, ...]
# Some rows: from the first up to the second, or by number.
Rows = tuple[int, int] | Tensor


@dataclass(frozen=True, slots=True)
class Branch:
    """Rows that pass the experts with one change of the weights.

    deltas: what is added to the weights, by role. share: by which the result counts.
    """

    rows: Rows
    share: float
    deltas: Deltas


@dataclass(slots=True)
class ExpertsState(State):
    """Tokens on their way through the experts, which are run once all changes of weights are known.

    An update of weights cannot be told from what comes out, so a state remembers updates, per branch where a
    composition branches: what is stacked on a branching reaches every branch.

    given: flattened tokens, so that rows may be told but not tokens.
    run: (given, deltas) → [T, d], the experts with their weights changed.
    """

    given: Given
    run: Callable[[Given, Deltas], Tensor]
    branches: tuple[Branch, ...]
    info: Info = NOTHING

    @classmethod
    def of(cls, given: Given, run: Callable[[Given, Deltas], Tensor], info: Info = NOTHING) -> "ExpertsState":
        """All rows, with the weights as they are."""
        return cls(given, run, (Branch((0, given[0].shape[0]), 1.0, {}),), info)

    def with_delta(self, role: str, delta: Tensor) -> "ExpertsState":
        """The state with more added to the weights of a role, [experts, out, in]."""
        return self._over(tuple(_changed(branch, role, delta) for branch in self.branches))

    def output(self) -> Tensor:
        """What comes out of the experts, [T, d]."""
        if len(self.branches) == 1:
            branch = self.branches[0]
            if branch.share == 1.0 and branch.rows == (0, self.height()):
                return self.run(self.given, branch.deltas)
        total = torch.zeros_like(self.given[0])
        for branch in self.branches:
            numbers = _numbers(branch.rows, total.device)
            if len(numbers):
                made = self.run(tuple(t[numbers] for t in self.given), branch.deltas)
                total = total.index_add(0, numbers, (made * branch.share).to(total.dtype))
        return total

    def height(self) -> int:
        return self.given[0].shape[0]

    def length(self) -> int:
        raise CompositionError(no_tokens("a mixture of experts (one list of all rows' tokens)"))

    def rows(self, start: int, stop: int, of: int) -> "ExpertsState":
        size = share(self.height(), of)
        given = tuple(slice_rows(t, start, stop, of) for t in self.given)
        branches = tuple(replace(b, rows=_within(b.rows, start * size, stop * size)) for b in self.branches)
        return replace(self, given=given, branches=branches, info=self.info.rows(start, stop, of))

    def pick(self, index: Tensor, of: int) -> "ExpertsState":
        given = tuple(pick_rows(t, index, of) for t in self.given)
        chosen = pick_rows(torch.arange(self.height(), device=index.device), index, of)
        branches = tuple(replace(b, rows=_picked(b.rows, chosen)) for b in self.branches)
        return replace(self, given=given, branches=branches, info=self.info.pick(index, of))

    def cat(self, states: "Sequence[ExpertsState]") -> "ExpertsState":
        branches: list[Branch] = []
        first = 0
        for state in states:
            branches += [replace(b, rows=_shifted(b.rows, first)) for b in state.branches]
            first += state.height()
        return self._over(tuple(branches))

    def mean(self, states: "Sequence[ExpertsState]", shares: Sequence[float | Tensor]) -> "ExpertsState":
        branches: list[Branch] = []
        for state, part in zip(states, shares, strict=True):
            if isinstance(part, Tensor):
                raise CompositionError("Experts take no shares per token; Average gives a number each.")
            branches += [replace(b, share=b.share * part) for b in state.branches]
        return self._over(tuple(branches))

    def features(self) -> Tensor:
        return self.given[0]

    def _over(self, branches: tuple[Branch, ...]) -> "ExpertsState":
        return replace(self, branches=branches)


def _changed(branch: Branch, role: str, delta: Tensor) -> Branch:
    before = branch.deltas.get(role)
    return replace(branch, deltas={**branch.deltas, role: delta if before is None else before + delta})


def _numbers(rows: Rows, device: torch.device) -> Tensor:
    return rows if isinstance(rows, Tensor) else torch.arange(*rows, device=device)


def _within(rows: Rows, start: int, stop: int) -> Rows:
    """Those of the rows that lie in a range, counted from its start."""
    if isinstance(rows, Tensor):
        return rows[(rows >= start) & (rows < stop)] - start
    first = min(max(rows[0], start), stop)
    return first - start, max(min(rows[1], stop), first) - start


def _picked(rows: Rows, chosen: Tensor) -> Rows:
    """Where the rows stand among the chosen ones."""
    if isinstance(rows, Tensor):
        return torch.isin(chosen, rows).nonzero().flatten()
    return ((chosen >= rows[0]) & (chosen < rows[1])).nonzero().flatten()


def _shifted(rows: Rows, by: int) -> Rows:
    return rows + by if isinstance(rows, Tensor) else (rows[0] + by, rows[1] + by)
