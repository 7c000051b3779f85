"""The classifiers of transformers' models, as heads of ours: linear maps over one pooled token or all."""

from dataclasses import dataclass
from typing import Any

from torch import nn

from adapter_lib.families import model_type_of, paths
from adapter_lib.inject import Atlas
from adapter_lib.spec.errors import LoadError
from adapter_lib.spec.heads import (
    ClassificationSpec,
    MultilabelSpec,
    PooledSpec,
    RegressionSpec,
    TaggingSpec,
    TokenSpec,
)

SEQUENCE, TOKENS = "SEQ_CLS", "TOKEN_CLS"
# The names that PEFT looks for in a model with a classifier.
NAMES = ("classifier", "score")

_BY_PROBLEM: dict[str, type[PooledSpec]] = {
    "multi_label_classification": MultilabelSpec,
    "regression": RegressionSpec,
}


@dataclass(frozen=True)
class Layer:
    """One linear map. path: in the model, or in its base model where `is_inner`."""

    path: str
    is_inner: bool = False
    has_bias: bool = True


@dataclass(frozen=True)
class Classifier:
    """What stands behind a model's last hidden state. pooling: "" where every token is classified."""

    layers: tuple[Layer, ...]
    activation: str = "tanh"
    pooling: str = "cls"


_TWO = (Layer("classifier.dense"), Layer("classifier.out_proj"))
_BY_TYPE = {
    "bert": Classifier((Layer("pooler.dense", is_inner=True), Layer("classifier"))),
    "roberta": Classifier(_TWO),
    "xlm-roberta": Classifier(_TWO),
    "camembert": Classifier(_TWO),
    "electra": Classifier(_TWO, activation="gelu"),
    "distilbert": Classifier((Layer("pre_classifier"), Layer("classifier")), activation="relu"),
}
_SCORE = Classifier((Layer("score", has_bias=False),), pooling="last")


def classifier_of(atlas: Atlas, task: str | None) -> Classifier | None:
    """The classifier that a model's family has for a task, None if it is no stack of linear maps."""
    if task == TOKENS:
        found = next((name for name in NAMES if _is_linear(paths.find(atlas.model, name))), None)
        return None if found is None else Classifier((Layer(found),), pooling="")
    if task != SEQUENCE:
        return None
    if all(tower.table.role == "decoder" for tower in atlas.resolved.towers):
        return _SCORE
    return _BY_TYPE.get(model_type_of(atlas.resolved.base) or "")


def check_pooling(atlas: Atlas, task: str | None) -> None:
    """Raises LoadError for a soft prompt in front of a token that is pooled: PEFT pools the prompt."""
    is_first = any(tower.table.role != "decoder" for tower in atlas.resolved.towers)
    if task == SEQUENCE and is_first:
        raise LoadError(
            "PEFT's sequence classifiers look at the first soft token of a prompt, and here they look at the "
            "first word, so that the classifier would compute something else."
        )


def spec_of(
    found: Classifier, labels: tuple[str, ...], atlas: Atlas, *, use_bias: bool
) -> PooledSpec | TokenSpec:
    """The head of ours for a classifier; what a sequence's numbers mean is told by the model's config."""
    count = len(found.layers)
    if not found.pooling:
        return TaggingSpec(labels, count, found.activation, use_bias=use_bias)
    problem = getattr(atlas.config, "problem_type", None) or ("regression" if len(labels) == 1 else "")
    kind = _BY_PROBLEM.get(problem, ClassificationSpec)
    return kind(labels, found.pooling, count, found.activation, use_bias=use_bias)


def module_of(layer: Layer, atlas: Atlas) -> nn.Module | None:
    """The model's own map, if it has one."""
    return paths.find(atlas.resolved.base if layer.is_inner else atlas.model, layer.path)


def base_prefix(atlas: Atlas) -> str:
    """What the paths of the base model begin with in a model that has a classifier."""
    base: Any = atlas.resolved.base
    return f"{base.base_model_prefix}." if getattr(base, "base_model_prefix", "") else ""


def _is_linear(module: nn.Module | None) -> bool:
    return isinstance(module, nn.Linear)
