"""One of several texts."""

from dataclasses import dataclass
from typing import ClassVar

from adapter_lib.spec.heads.linears import PooledSpec
from adapter_lib.spec.heads.registry import register_head


@dataclass(frozen=True)
class MultipleChoiceSpec(PooledSpec):
    """One score per choice; a batch says how many choices it has."""

    type: ClassVar[str] = "multiple_choice"
    LEAST_LABELS: ClassVar[int] = 0

    def outputs(self) -> int:
        return 1


register_head(MultipleChoiceSpec)
