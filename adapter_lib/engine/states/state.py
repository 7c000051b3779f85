"""What flows through a composition at one point: a small record of batch-first tensors.

The evaluator knows no more of a state than stands here. Subclasses are never changed once made.
"""

from collections.abc import Sequence
from typing import Any, Self

from torch import Tensor

from adapter_lib.engine.call import Info


class State:
    """A record whose tensors' first dimension is the batch."""

    __slots__ = ()

    info: Info

    def height(self) -> int:
        """The size of the first dimension."""
        raise NotImplementedError

    def length(self) -> int:
        """The number of tokens. Raises CompositionError where there is no such dimension."""
        raise NotImplementedError

    def fresh(self) -> Self:
        """The same as children of a block see it: nothing of how an adapter before them made it."""
        return self

    def rows(self, start: int, stop: int, of: int) -> Self:
        """The shares of the rows from `start` up to `stop`, out of `of`, as views."""
        raise NotImplementedError

    def pick(self, index: Tensor, of: int) -> Self:
        """The shares of the rows with these numbers, out of `of`."""
        raise NotImplementedError

    def tokens(self, start: int, stop: int) -> Self:
        """The tokens from `start` up to `stop`."""
        raise NotImplementedError

    def cat(self, states: Sequence[Any]) -> Self:
        """The given states, one below the other; `self` is what they were cut from."""
        raise NotImplementedError

    def cat_tokens(self, states: Sequence[Any]) -> Self:
        """The given states, one behind the other; `self` is what they were cut from."""
        raise NotImplementedError

    def mean(self, states: Sequence[Any], shares: Sequence[float | Tensor]) -> Self:
        """The weighted sum of what was made of this state; a share may be a tensor that broadcasts."""
        raise NotImplementedError

    def features(self) -> Tensor:
        """What a gate or a router looks at, [B, S, place.width_features]."""
        raise NotImplementedError

    def query(self, *, is_normed: bool = True) -> Tensor:
        """What an AdapterFusion asks with, [B, S, width of `added`]: behind the norm if there is one."""
        raise NotImplementedError

    def added(self, after: Any) -> Tensor:
        """What a child made of this state, without the residual it stands on, [B, S, d]."""
        raise NotImplementedError

    def residual(self, after: Any) -> Tensor:
        """What `added` of a child's result is added to, [B, S, d]."""
        raise NotImplementedError

    def plus(self, total: Tensor, like: Any) -> Self:
        """This state with `total` added to the residual of `like`, the last child's result."""
        raise NotImplementedError

    def scaled(self, after: Any, gate: Tensor) -> Self:
        """`after` with what it added multiplied by a gate."""
        raise NotImplementedError


def no_tokens(what: str) -> str:
    """The sentence for a Split where tokens cannot be told apart."""
    return f"Split cuts the sequence, and {what} has no dimension of tokens to cut."
