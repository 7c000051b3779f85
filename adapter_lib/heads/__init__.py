"""Prediction heads: named parts that travel with an adapter."""

from adapter_lib.heads.classification import ClassificationHead
from adapter_lib.heads.describe import head_spec, label_names
from adapter_lib.heads.output import MultiHeadOutput
from adapter_lib.heads.store import HeadStore, row_split, shares_of

__all__ = [
    "ClassificationHead",
    "HeadStore",
    "MultiHeadOutput",
    "head_spec",
    "label_names",
    "row_split",
    "shares_of",
]
