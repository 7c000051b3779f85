"""What the tasks over a text, or a pair of texts, have in common."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from adapter_lib.tasks import cells
from adapter_lib.tasks.columns import Part
from adapter_lib.tasks.features import Feature, encoded
from adapter_lib.tasks.reading import Row, Rows

T = TypeVar("T", int, float)
TEXT = Part(
    "text", ("text", "sentence", "sentence1", "premise", "question1", "question", "document", "review")
)
PAIR = Part("pair", ("sentence2", "hypothesis", "question2"), is_optional=True)


@dataclass(frozen=True)
class LabelledText(Generic[T]):
    """A text, perhaps a second one, and its label: a class's number or a value."""

    texts: tuple[str, ...]
    label: T


def texts_of(rows: Rows, row: Row, columns: Mapping[str, str]) -> tuple[str, ...]:
    """The row's text, and its second one if there is such a column. Raises DataError."""
    return tuple(cells.text(rows, row, columns[part]) for part in ("text", "pair") if part in columns)


def text_features(tokenizer: Any, examples: Sequence[LabelledText[Any]], max_length: int) -> list[Feature]:
    """One feature per example."""
    return [
        Feature({**encoded(tokenizer, max_length, *example.texts), "labels": example.label})
        for example in examples
    ]
