"""What every head's description has."""

from abc import ABC, abstractmethod
from dataclasses import dataclass, fields
from typing import Any, ClassVar, Self

from adapter_lib.spec.fields import FieldError, Fields

Shape = tuple[int, ...]
MAX_LABELS = 10_000


@dataclass(frozen=True)
class HeadSpec(ABC):
    """A prediction head as a file describes it.

    labels: the names of its outputs; empty for a head whose outputs have none.
    """

    labels: tuple[str, ...] = ()

    # The word in the file, and the first version of the file's schema that has it.
    type: ClassVar[str]
    SINCE_VERSION: ClassVar[int] = 2
    # Fields that are written only where they differ from their default: an older version does not know them.
    ADDED_LATER: ClassVar[tuple[str, ...]] = ()

    @abstractmethod
    def shapes(self, hidden_size: int) -> dict[str, Shape]:
        """The names and shapes of the head's tensors on a model of that width. Raises ConfigError."""

    @classmethod
    @abstractmethod
    def read(cls, given: Fields) -> Self:
        """Read the members of a file's object, `type` excluded. Raises FieldError."""

    def to_dict(self) -> dict[str, Any]:
        """The object in the file, which `read_head` reads back to an equal description."""
        values = {
            field.name: getattr(self, field.name)
            for field in fields(self)
            if field.name not in self.ADDED_LATER or getattr(self, field.name) != field.default
        }
        plain = {key: list(value) if isinstance(value, tuple) else value for key, value in values.items()}
        return {"type": self.type, **plain}


def read_labels(given: Fields, least: int = 1) -> tuple[str, ...]:
    """The names of the outputs, each once. Raises FieldError."""
    labels = given.texts("labels", least, MAX_LABELS)
    if len(set(labels)) < len(labels):
        raise FieldError("bad_value", f"{given.path('labels')} names a label twice.")
    return labels
