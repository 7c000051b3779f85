"""A span of the input."""

from dataclasses import dataclass
from typing import ClassVar

from adapter_lib.spec.heads.linears import TokenSpec
from adapter_lib.spec.heads.registry import register_head


@dataclass(frozen=True)
class QuestionAnsweringSpec(TokenSpec):
    """Two scores per token: that the answer begins there, and that it ends there."""

    type: ClassVar[str] = "question_answering"
    LEAST_LABELS: ClassVar[int] = 0

    def outputs(self) -> int:
        return 2


register_head(QuestionAnsweringSpec)
