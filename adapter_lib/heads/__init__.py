"""Prediction heads: named parts that travel with an adapter."""

from adapter_lib.heads import (  # noqa: F401  (they register)
    dependency_parsing,
    image_classification,
    language_model,
    multilabel,
    multiple_choice,
    question_answering,
    regression,
    tagging,
)
from adapter_lib.heads.base import Head
from adapter_lib.heads.classification import ClassificationHead
from adapter_lib.heads.custom import register_custom_head
from adapter_lib.heads.dependency_parsing import DependencyParsingOutput
from adapter_lib.heads.describe import Labels, head_spec, label_names
from adapter_lib.heads.given import Given
from adapter_lib.heads.output import MultiHeadOutput
from adapter_lib.heads.output_scale import output_scale
from adapter_lib.heads.store import HeadStore, row_split, shares_of
from adapter_lib.heads.support import refusal, supported_heads, supports

__all__ = [
    "ClassificationHead",
    "DependencyParsingOutput",
    "Given",
    "Head",
    "HeadStore",
    "Labels",
    "MultiHeadOutput",
    "head_spec",
    "label_names",
    "output_scale",
    "refusal",
    "register_custom_head",
    "row_split",
    "shares_of",
    "supported_heads",
    "supports",
]
