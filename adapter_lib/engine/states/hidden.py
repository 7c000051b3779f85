"""The state where a hidden state passes: after a layer or the embeddings, before the head, within a block."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from adapter_lib.engine.call import NOTHING, Info
from adapter_lib.engine.rows import pick_rows, slice_rows
from adapter_lib.engine.states.leaf import weighted
from adapter_lib.engine.states.state import State, no_tokens
from adapter_lib.spec.errors import CompositionError


@dataclass(slots=True)
class HiddenState(State):
    """h [B, S, d]."""

    h: Tensor
    info: Info = NOTHING

    @property
    def window(self) -> tuple[int, int] | None:
        """Where tokens were cut out: the number of h's first token, and how many there were before that."""
        return self.info.window

    def height(self) -> int:
        return self.h.shape[0]

    def length(self) -> int:
        if self.h.dim() < 3:
            raise CompositionError(no_tokens("a hidden state whose tokens stand one by one"))
        return self.h.shape[1]

    def with_h(self, h: Tensor) -> "HiddenState":
        """The same with another hidden state."""
        return HiddenState(h, self.info)

    def rows(self, start: int, stop: int, of: int) -> "HiddenState":
        return HiddenState(slice_rows(self.h, start, stop, of), self.info.rows(start, stop, of))

    def pick(self, index: Tensor, of: int) -> "HiddenState":
        return HiddenState(pick_rows(self.h, index, of), self.info.pick(index, of))

    def tokens(self, start: int, stop: int) -> "HiddenState":
        return HiddenState(self.h[:, start:stop], self.info.tokens(start, stop, self.length()))

    def cat(self, states: "Sequence[HiddenState]") -> "HiddenState":
        return self.with_h(torch.cat([s.h for s in states]))

    def cat_tokens(self, states: "Sequence[HiddenState]") -> "HiddenState":
        return self.with_h(torch.cat([s.h for s in states], dim=1))

    def mean(self, states: "Sequence[HiddenState]", shares: Sequence[float | Tensor]) -> "HiddenState":
        return self.with_h(weighted([s.h for s in states], shares))

    def features(self) -> Tensor:
        return self.h

    def query(self, *, is_normed: bool = True) -> Tensor:
        return self.h

    def residual(self, after: "HiddenState") -> Tensor:
        return self.h

    def added(self, after: "HiddenState") -> Tensor:
        return after.h - self.h

    def plus(self, total: Tensor, like: "HiddenState") -> "HiddenState":
        return self.with_h(self.h + total)

    def scaled(self, after: "HiddenState", gate: Tensor) -> "HiddenState":
        return replace(after, h=self.h + gate * (after.h - self.h))
