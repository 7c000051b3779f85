"""Any number of classes per row."""

from dataclasses import dataclass
from typing import ClassVar

from adapter_lib.spec.heads.linears import PooledSpec
from adapter_lib.spec.heads.registry import register_head


@dataclass(frozen=True)
class MultilabelSpec(PooledSpec):
    """Each of `labels` true or false of a row."""

    type: ClassVar[str] = "multilabel"


register_head(MultilabelSpec)
