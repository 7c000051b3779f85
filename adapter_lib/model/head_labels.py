"""The labels of a call, and what else of its arguments is meant for heads."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from torch import Tensor

from adapter_lib.heads import Head
from adapter_lib.spec.errors import AttachError

# One head's labels: a tensor, or by name for heads that have several.
Labels = Tensor | Mapping[str, Tensor]


@dataclass(frozen=True)
class Asked:
    """What heads are asked.

    own: the labels of each head, by its name or in the order of the heads, for its own rows; from a call with
        `labels={"a": …}` or `labels=[…]`. named: labels that stand for all rows, by argument.
    extra: further arguments that heads read. items: how many labels a Trainer's step has.
    choices: how many rows one example has.
    """

    own: Mapping[str, Labels] | Sequence[Labels] | None = None
    named: Mapping[str, Tensor] = field(default_factory=dict)
    extra: Mapping[str, Tensor] = field(default_factory=dict)
    items: Any = None
    choices: int = 1

    def read(self, kwargs: dict[str, Any], heads: Sequence[Head[Any]]) -> "Asked":
        """Take what heads are to have out of a call's arguments."""
        names = dict.fromkeys(("labels", *(name for head in heads for name in head.label_names)))
        named = {name: kwargs.pop(name, None) for name in names}
        extra = {name: kwargs.pop(name, None) for head in heads for name in head.input_names}
        return replace(
            self,
            named={name: value for name, value in named.items() if value is not None},
            extra={name: value for name, value in extra.items() if value is not None},
            items=kwargs.pop("num_items_in_batch", None),
        )

    def has_labels(self) -> bool:
        """True if there is something to compute a loss from."""
        return self.own is not None or bool(self.named)

    def for_decoder(self, number: int, name: str) -> Tensor | None:
        """The labels of one head, from which a decoder's inputs can be made; None where there are none.

        Raises AttachError for labels per head where others are active: which rows are theirs is not known.
        """
        if self.own is None:
            return self.named.get("labels")
        if len(self.own) > 1 or number:
            raise AttachError("With labels per head, several heads need decoder_input_ids for all rows.")
        found = self.own.get(name) if isinstance(self.own, Mapping) else self.own[0]
        return found if isinstance(found, Tensor) else None

    def of(
        self, number: int, name: str, head: Head[Any], rows: slice | Tensor, total: int
    ) -> tuple[Tensor, ...] | None:
        """The labels of one head for its rows, out of `total`; None where there are none."""
        if self.own is not None:
            return self._own(number, name, head)
        found = [self.named.get(label) for label in head.label_names]
        given = [value for value in found if value is not None]
        if len(given) < len(found):
            return None
        # With several choices per example, rows are counted in choices, and the labels in examples.
        return tuple(value[rows] if len(value) == total else value for value in given)

    def _own(self, number: int, name: str, head: Head[Any]) -> tuple[Tensor, ...] | None:
        if isinstance(self.own, Mapping):
            found: Any = self.own.get(name)
        else:
            found = self.own[number] if self.own is not None and number < len(self.own) else None
        if found is None:
            return None
        if isinstance(found, Tensor) and len(head.label_names) == 1:
            return (found,)
        if isinstance(found, Mapping) and set(found) == set(head.label_names):
            return tuple(found[label] for label in head.label_names)
        raise AttachError(f"The labels of the head {name!r} must be {' and '.join(head.label_names)}.")


def take_own(kwargs: dict[str, Any]) -> Asked:
    """Take labels per head out of a call's arguments, before the batch is copied."""
    labels = kwargs.get("labels")
    if isinstance(labels, Mapping) or (isinstance(labels, Sequence) and not isinstance(labels, str)):
        return Asked(own=kwargs.pop("labels"))
    return Asked()


def flattened(args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[tuple[Any, ...], dict[str, Any], int]:
    """The inputs [B, C, …] of a call as [B · C, …], and C, the number of choices. Raises AttachError."""
    inputs = [*args[:1], kwargs.get("input_ids"), kwargs.get("inputs_embeds")]
    first = next((value for value in inputs if isinstance(value, Tensor)), None)
    if first is None or first.dim() < 3:
        raise AttachError("A multiple-choice head needs inputs [batch, choices, tokens].")
    shape = first.shape[:2]

    def flat(value: Any) -> Any:
        is_input = isinstance(value, Tensor) and value.dim() >= 3 and value.shape[:2] == shape
        return value.flatten(0, 1) if is_input else value

    return tuple(map(flat, args)), {name: flat(value) for name, value in kwargs.items()}, shape[1]
