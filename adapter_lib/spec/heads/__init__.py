"""What files say of prediction heads: one frozen dataclass per type. No torch."""

from adapter_lib.spec.heads.base import HeadSpec
from adapter_lib.spec.heads.classification import ClassificationSpec
from adapter_lib.spec.heads.custom import CustomSpec, register_custom_shapes
from adapter_lib.spec.heads.dependency_parsing import DependencyParsingSpec
from adapter_lib.spec.heads.image_classification import ImageClassificationSpec
from adapter_lib.spec.heads.language_model import (
    CausalLMSpec,
    LanguageModelSpec,
    MaskedLMSpec,
    Seq2SeqLMSpec,
)
from adapter_lib.spec.heads.linears import ACTIVATIONS, POOLINGS, PooledSpec, TokenSpec
from adapter_lib.spec.heads.multilabel import MultilabelSpec
from adapter_lib.spec.heads.multiple_choice import MultipleChoiceSpec
from adapter_lib.spec.heads.question_answering import QuestionAnsweringSpec
from adapter_lib.spec.heads.registry import checked, head_types, read_head, register_head, since_version
from adapter_lib.spec.heads.regression import RegressionSpec
from adapter_lib.spec.heads.tagging import TaggingSpec

__all__ = [
    "ACTIVATIONS",
    "POOLINGS",
    "CausalLMSpec",
    "ClassificationSpec",
    "CustomSpec",
    "DependencyParsingSpec",
    "HeadSpec",
    "ImageClassificationSpec",
    "LanguageModelSpec",
    "MaskedLMSpec",
    "MultilabelSpec",
    "MultipleChoiceSpec",
    "PooledSpec",
    "QuestionAnsweringSpec",
    "RegressionSpec",
    "Seq2SeqLMSpec",
    "TaggingSpec",
    "TokenSpec",
    "checked",
    "head_types",
    "read_head",
    "register_custom_shapes",
    "register_head",
    "since_version",
]
