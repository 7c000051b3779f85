"""What the model's current call tells its points: masks, tasks, and whether somebody wants a record."""

from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol

from torch import Tensor
from torch.nn import functional as F

from adapter_lib.engine.rows import pick_rows, slice_rows

# What was recorded: kind ("gates", "fusion", "routes") → adapter or block → place → tensor.
Record = dict[str, dict[str, dict[str, Tensor]]]


class Info(NamedTuple):
    """What is known of the rows of a state.

    mask: [B, S], 0 where a token is padding; None: no padding, or nobody asked.
    tasks: [B], the number of each row's task for MultiTask.
    record: where gates, fusion attentions and route weights are written; None: nobody wants them.
    window: where a Split cut tokens out: the number of the first one, and how many there were before the cut.
        The mask stays whole.
    length: how many tokens the tower was given, without those in a cache; None: not known. A place may see
        more or fewer: summaries, positions, tokens that the model adds itself.
    """

    mask: Tensor | None = None
    tasks: Tensor | None = None
    record: Record | None = None
    window: tuple[int, int] | None = None
    length: int | None = None

    def rows(self, start: int, stop: int, of: int) -> "Info":
        if self.mask is None and self.tasks is None:
            return self
        return self._replace(
            mask=None if self.mask is None else slice_rows(self.mask, start, stop, of),
            tasks=None if self.tasks is None else slice_rows(self.tasks, start, stop, of),
        )

    def pick(self, index: Tensor, of: int) -> "Info":
        if self.mask is None and self.tasks is None:
            return self
        return self._replace(
            mask=None if self.mask is None else pick_rows(self.mask, index, of),
            tasks=None if self.tasks is None else pick_rows(self.tasks, index, of),
        )

    def tokens(self, start: int, stop: int, length: int) -> "Info":
        """The same for the tokens from `start` up to `stop` of a state that has `length`."""
        first, total = self.window or (0, length)
        return self._replace(window=(first + start, total))

    def token_mask(self, length: int) -> Tensor | None:
        """The mask [B, length] of a state's own tokens, the last ones of what the model was given.

        A cache makes the mask longer than the state; soft prompts, which are no padding, make it shorter.
        None where the state has fewer tokens than the tower was given, so that they are not the tower's own.
        """
        first, total = self.window or (0, length)
        if self.mask is None or (self.length is not None and total < self.length):
            return None
        mask, known = self.mask, self.mask.shape[1]
        if known < total:
            mask, known = F.pad(mask, (total - known, 0), value=1), total
        return mask[:, known - total + first : known - total + first + length]

    def own_mask(self, length: int) -> Tensor | None:
        """`token_mask`; None where the place sees something else than the tokens that the tower was given."""
        if self.mask is None:
            return None
        given = self.mask.shape[1] if self.length is None else self.length
        _, total = self.window or (0, length)
        return self.token_mask(length) if total == given else None


NOTHING = Info()


class Around(Protocol):
    """What acts around a tower's call."""

    def enter(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """The arguments that the tower gets."""
        ...

    def leave(self, output: Any) -> Any:
        """What the tower's output is made."""
        ...


@dataclass
class Call:
    """One model's current call; points hold a reference to it.

    masks: by tower, set where the tower is called. sources: by tower, the masks of the states of another one
        that it attends to; lengths: by tower, how many tokens it is given; both set there too.
    tasks, record, rows: set where the model is called; rows is how many the batch has, None if the arguments
        do not show it.
    inside: what acts around the model's own forward, where the model itself is a tower.
    """

    masks: dict[str, Tensor | None] = field(default_factory=dict)
    sources: dict[str, Tensor | None] = field(default_factory=dict)
    lengths: dict[str, int] = field(default_factory=dict)
    tasks: Tensor | None = None
    record: Record | None = None
    rows: int | None = None
    inside: list[Around] = field(default_factory=list)

    def forget_masks(self) -> None:
        """Called before the model runs: what runs before its tower is called must not see an older call's."""
        self.masks.clear()
        self.sources.clear()
        self.lengths.clear()

    def info(self, tower: str, *, is_of_source: bool = False) -> Info:
        """What is known of a tower's rows, or of the states of another one that it attends to."""
        if self.tasks is None and self.record is None and not self.masks:
            return NOTHING
        if is_of_source:
            return Info(self.sources.get(tower), self.tasks, self.record)
        return Info(self.masks.get(tower), self.tasks, self.record, length=self.lengths.get(tower))
