"""The state at a tower's input: the soft prompts that are to stand among a row's tokens."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor
from torch.nn import functional as F

from adapter_lib.engine.call import NOTHING, Info
from adapter_lib.engine.rows import pick_rows, slice_rows
from adapter_lib.engine.states.leaf import weighted
from adapter_lib.engine.states.state import State
from adapter_lib.spec.errors import CompositionError

# What stands in a column of a row: nothing (the row's prompt is shorter than others), or a prompt's token.
# The numbers are sort keys; leading padding (0), the first token (2) and the others (4) come between.
NO_TOKEN, IN_FRONT, BEHIND_FIRST = -1, 1, 3


@dataclass(slots=True)
class PromptState(State):
    """Prompts of B rows, N columns so far; later adapters add columns behind.

    source: the caller's token ids [B, S], or embeddings [B, S, d].
    values: [B, N, d]; [B, N, 0] where only the columns are asked for.
    columns: [B, N], NO_TOKEN, IN_FRONT or BEHIND_FIRST.
    is_even: False if some rows have columns with nothing in them.
    embed: makes embeddings of the source; None: it is embeddings.
    width: of the embeddings.
    """

    source: Tensor
    values: Tensor
    columns: Tensor
    is_even: bool = True
    embed: Callable[[Tensor], Tensor] | None = None
    info: Info = NOTHING
    width: int = 0

    @property
    def is_sketch(self) -> bool:
        """True if the prompts' values are not asked for."""
        return self.values.shape[-1] == 0

    def with_prompt(self, length: int, column: int, make: Callable[[], Tensor]) -> "PromptState":
        """The state with one more prompt [length, d] in all rows; `make` is not called for a sketch."""
        rows = self.height()
        prompt = self.values.new_empty(length, 0) if self.is_sketch else make().to(self.values.dtype)
        columns = self.columns.new_full((rows, length), column)
        return replace(
            self,
            values=torch.cat([self.values, prompt.expand(rows, -1, -1)], dim=1),
            columns=torch.cat([self.columns, columns], dim=1),
        )

    def height(self) -> int:
        return self.source.shape[0]

    def length(self) -> int:
        raise CompositionError("Split cuts the sequence, and a soft prompt stands before it is cut.")

    def rows(self, start: int, stop: int, of: int) -> "PromptState":
        source, values, columns = (
            slice_rows(t, start, stop, of) for t in (self.source, self.values, self.columns)
        )
        info = self.info.rows(start, stop, of)
        return PromptState(source, values, columns, self.is_even, self.embed, info, self.width)

    def pick(self, index: Tensor, of: int) -> "PromptState":
        source, values, columns = (pick_rows(t, index, of) for t in (self.source, self.values, self.columns))
        return PromptState(
            source, values, columns, self.is_even, self.embed, self.info.pick(index, of), self.width
        )

    def cat(self, states: "Sequence[PromptState]") -> "PromptState":
        widest = max(state.columns.shape[1] for state in states)
        missing = [widest - state.columns.shape[1] for state in states]
        pairs = list(zip(states, missing, strict=True))
        return replace(
            self,
            values=torch.cat([F.pad(state.values, (0, 0, 0, more)) for state, more in pairs]),
            columns=torch.cat([F.pad(state.columns, (0, more), value=NO_TOKEN) for state, more in pairs]),
            is_even=not any(missing) and all(state.is_even for state in states),
        )

    def mean(self, states: "Sequence[PromptState]", shares: Sequence[float | Tensor]) -> "PromptState":
        new = [self.added(state) for state in states]
        values = torch.cat([self.values, weighted(new, shares)], dim=1)
        return replace(states[0], values=values)

    def features(self) -> Tensor:
        if self.is_sketch:
            # What a gate says of it does not matter: there are no values to multiply.
            return self.values.new_zeros(self.height(), 1, self.width)
        return self.source if self.embed is None else self.embed(self.source)

    def added(self, after: "PromptState") -> Tensor:
        return after.values[:, self.values.shape[1] :]

    def scaled(self, after: "PromptState", gate: Tensor) -> "PromptState":
        return replace(after, values=torch.cat([self.values, gate * self.added(after)], dim=1))
