"""The blocks that need no parameters of their own."""

from collections.abc import Sequence
from typing import ClassVar

from adapter_lib.spec.composition.block import Block, channel_of, channels_of
from adapter_lib.spec.errors import CompositionError


class Stack(Block):
    """The children act one after the other: each sees what the one before it made of the sub-layer's output.

    Low-rank updates of one linear map do not feed one another; their stack is the sum of the updates.
    """

    kind: ClassVar[str] = "stack"


class Parallel(Block):
    """Every child works on its own copy of the batch; the results stand one below the other."""

    kind: ClassVar[str] = "parallel"

    def _count_channels(self) -> int:
        return sum(channels_of(child) for child in self.children)

    def channel(self, index: int) -> "str | Block":
        for child in self.children:
            if index < channels_of(child):
                return channel_of(child, index)
            index -= channels_of(child)
        raise IndexError(index)


class BatchSplit(Block):
    """Every child works on its own rows of the batch: the first on the first batch_sizes[0], and so on."""

    kind: ClassVar[str] = "batch_split"
    takes: ClassVar[tuple[str, ...]] = ("batch_sizes",)
    needs: ClassVar[tuple[str, ...]] = ("batch_sizes",)

    batch_sizes: tuple[int, ...]

    def __init__(self, *children: "str | Block", batch_sizes: Sequence[int]) -> None:
        super().__init__(*children, batch_sizes=_counts(self, "batch_sizes", batch_sizes, len(children)))


class Split(Block):
    """Every child works on its own tokens: the first on the first splits[0] of the sequence, and so on."""

    kind: ClassVar[str] = "split"
    takes: ClassVar[tuple[str, ...]] = ("splits",)
    needs: ClassVar[tuple[str, ...]] = ("splits",)

    splits: tuple[int, ...]

    def __init__(self, *children: "str | Block", splits: Sequence[int]) -> None:
        super().__init__(*children, splits=_counts(self, "splits", splits, len(children)))


class Average(Block):
    """Every child works on the same input; the result is the weighted mean of what they make of it.

    weights: one number per child, by default equal; with normalize_weights they are divided by their sum.
    """

    kind: ClassVar[str] = "average"
    takes: ClassVar[tuple[str, ...]] = ("weights", "normalize_weights")

    weights: tuple[float, ...] | None
    normalize_weights: bool

    def __init__(
        self,
        *children: "str | Block",
        weights: Sequence[float] | None = None,
        normalize_weights: bool = True,
    ) -> None:
        checked = None if weights is None else _weights(self, weights, len(children))
        if not isinstance(normalize_weights, bool):
            raise CompositionError(
                f"Average: normalize_weights must be true or false, not {normalize_weights!r}."
            )
        if checked is not None and normalize_weights and abs(sum(checked)) < 1e-12:
            raise CompositionError("Average cannot normalise weights whose sum is zero.")
        super().__init__(*children, weights=checked, normalize_weights=normalize_weights)

    def shares(self) -> tuple[float, ...]:
        """What each child counts in the result."""
        given = self.weights or tuple(1.0 for _ in self.children)
        total = sum(given) if self.normalize_weights else 1.0
        return tuple(weight / total for weight in given)


class MultiTask(Block):
    """Row i goes through the child that the model call's `task_ids` name for it: a number or a name."""

    kind: ClassVar[str] = "multi_task"


def _counts(block: Block, field: str, given: Sequence[int], count: int) -> tuple[int, ...]:
    is_list = isinstance(given, Sequence) and not isinstance(given, str)
    if not is_list or not all(type(size) is int and size >= 0 for size in given) or len(given) != count:
        raise CompositionError(
            f"{type(block).__name__}: {field} must be {count} whole numbers from 0 up, one per child, "
            f"not {given!r}."
        )
    return tuple(given)


def _weights(block: Block, given: Sequence[float], count: int) -> tuple[float, ...]:
    is_list = isinstance(given, Sequence) and not isinstance(given, str)
    if not is_list or len(given) != count or not all(type(weight) in (int, float) for weight in given):
        raise CompositionError(
            f"{type(block).__name__}: weights must be {count} numbers, one per child, not {given!r}."
        )
    if not all(abs(float(weight)) < float("inf") for weight in given):
        raise CompositionError(f"{type(block).__name__}: weights must be finite, not {given!r}.")
    return tuple(float(weight) for weight in given)
