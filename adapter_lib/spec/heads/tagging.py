"""One class per token."""

from dataclasses import dataclass
from typing import ClassVar

from adapter_lib.spec.heads.linears import TokenSpec
from adapter_lib.spec.heads.registry import register_head


@dataclass(frozen=True)
class TaggingSpec(TokenSpec):
    """One class per token, out of `labels`."""

    type: ClassVar[str] = "tagging"


register_head(TaggingSpec)
