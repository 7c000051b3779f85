"""The head of every word in a sentence, and their relation."""

from dataclasses import dataclass
from typing import ClassVar, Self

from adapter_lib.spec.fields import Fields
from adapter_lib.spec.heads.base import HeadSpec, Shape, read_labels
from adapter_lib.spec.heads.registry import register_head


@dataclass(frozen=True)
class DependencyParsingSpec(HeadSpec):
    """A biaffine parser over words; `labels` are the relations."""

    dropout: float = 0.0

    type: ClassVar[str] = "dependency_parsing"

    def shapes(self, hidden_size: int) -> dict[str, Shape]:
        relations = len(self.labels)
        return {
            "arc.weight": (1, hidden_size + 1, hidden_size),
            "rel.weight": (relations, hidden_size + 1, hidden_size + 1),
        }

    @classmethod
    def read(cls, given: Fields) -> Self:
        return cls(labels=read_labels(given), dropout=given.number("dropout", 0.0, 1.0))


register_head(DependencyParsingSpec)
