"""One or several numbers per row."""

from dataclasses import dataclass
from typing import ClassVar

from adapter_lib.spec.heads.linears import PooledSpec
from adapter_lib.spec.heads.registry import register_head


@dataclass(frozen=True)
class RegressionSpec(PooledSpec):
    """One number per row for each of `labels`, the names of what is predicted."""

    type: ClassVar[str] = "regression"


register_head(RegressionSpec)
