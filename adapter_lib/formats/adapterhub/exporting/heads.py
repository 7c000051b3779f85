"""The head that travels with an adapter, as AdapterHub's library writes it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import isclose

from torch import Tensor

from adapter_lib.formats.adapterhub.exporting.description import described
from adapter_lib.formats.adapterhub.head_specs import (
    CONFIG_FILE,
    LANGUAGE,
    LINEAR,
    PARSER,
    PARSER_KEYS,
    WEIGHTS_FILE,
    input_embeddings,
    norm_eps_of,
    pooling_of,
    scale_of,
)
from adapter_lib.formats.conversion import Exportable
from adapter_lib.inject import Atlas
from adapter_lib.spec.heads import (
    DependencyParsingSpec,
    HeadSpec,
    ImageClassificationSpec,
    LanguageModelSpec,
    MultipleChoiceSpec,
    PooledSpec,
    RegressionSpec,
    TokenSpec,
)
from adapter_lib.spec.heads.linears import LinearSpec
from adapter_lib.spec.manifest import HEAD_PREFIX

# In front of every linear map is a dropout, behind all but the last an activation.
_STEP = 3
# The numbers of a language model's modules, where there is a transformation.
_TRANSFORM = {"transform": 0, "norm": 2, "decoder": 3}
_CHOICES = 2


@dataclass(frozen=True)
class HeadFiles:
    """The files of a head, or none; our tensors that they do not hold, and why."""

    documents: Mapping[str, Mapping[str, object]] = field(default_factory=dict)
    weights: Mapping[str, Mapping[str, Tensor]] = field(default_factory=dict)
    set_aside: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


def head_files(given: Exportable) -> HeadFiles:
    """The head of an adapter, if it has one and AdapterHub's library has its like."""
    spec = given.head
    if spec is None:
        return HeadFiles()
    reason = _why_not(spec, given.atlas)
    if reason is not None:
        aside = {HEAD_PREFIX + name: reason for name in given.head_tensors}
        return HeadFiles(set_aside=aside, notes=(f"The head was left out: {reason}.",))
    document = described(given.atlas, given.backbone.id, given.name, _config(spec))
    own = _tensors(spec, given.head_tensors, given.atlas)
    tensors = {f"heads.{given.name}.{name}": value for name, value in own.items()}
    notes = () if not isinstance(spec, MultipleChoiceSpec) else (f"num_choices was written as {_CHOICES}.",)
    return HeadFiles({CONFIG_FILE: document}, {WEIGHTS_FILE: tensors}, notes=notes)


def _why_not(spec: HeadSpec, atlas: Atlas) -> str | None:
    if isinstance(spec, DependencyParsingSpec):
        return None
    if isinstance(spec, LanguageModelSpec):
        return _why_no_language_model(spec, atlas)
    if not isinstance(spec, LinearSpec):
        return f"AdapterHub's library has no head of the type {spec.type!r}"
    if isinstance(spec, RegressionSpec) and len(spec.labels) != 1:
        return "a regression of AdapterHub's library has one number"
    if isinstance(spec, ImageClassificationSpec) and spec.norm_eps is not None:
        return "an image's head of AdapterHub's library has no norm"
    if isinstance(spec, PooledSpec) and spec.pooling != pooling_of(atlas):
        own = pooling_of(atlas)
        return f"AdapterHub's library pools this model with {own!r}, and the head with {spec.pooling!r}"
    if isinstance(spec, TokenSpec | MultipleChoiceSpec) and not spec.use_bias:
        return "a head of this type always has a bias in AdapterHub's library"
    return None


def _why_no_language_model(spec: LanguageModelSpec, atlas: Atlas) -> str | None:
    if not (isclose(spec.scale, scale_of(atlas)) and isclose(spec.norm_eps, norm_eps_of(atlas))):
        return "a head of AdapterHub's library has the model's scale and norm_eps"
    if not spec.tied and getattr(atlas.config, "tie_word_embeddings", False):
        return "AdapterHub's library ties the head of such a model to its embeddings"
    return None


def _config(spec: HeadSpec) -> dict[str, object]:
    labels = {label: number for number, label in enumerate(spec.labels)}
    if isinstance(spec, DependencyParsingSpec):
        return {"head_type": PARSER, "label2id": labels, "num_labels": len(labels)}
    if isinstance(spec, LanguageModelSpec):
        return _language_config(spec)
    if not isinstance(spec, LinearSpec):
        raise TypeError(f"{spec.type} has no counterpart.")
    word = next((word for word, cls in LINEAR.items() if isinstance(spec, cls)), "classification")
    values: dict[str, object] = {
        "activation_function": spec.activation,
        "dropout_prob": spec.dropout,
        "head_type": word,
        "label2id": labels or {f"LABEL_{i}": i for i in range(spec.outputs())},
        "layers": spec.layers,
    }
    if isinstance(spec, MultipleChoiceSpec):
        return values | {"num_choices": _CHOICES, "use_pooler": False}
    values["num_labels"] = spec.outputs()
    if isinstance(spec, PooledSpec):
        values |= {"bias": spec.use_bias, "use_pooler": False}
    return values | ({"multilabel": False} if isinstance(spec, ImageClassificationSpec) else {})


def _language_config(spec: LanguageModelSpec) -> dict[str, object]:
    word = next(word for word, cls in LANGUAGE.items() if isinstance(spec, cls))
    values: dict[str, object] = {
        "activation_function": spec.activation if spec.transform else None,
        "bias": spec.use_bias,
        "head_type": word,
        "label2id": None,
        "layer_norm": spec.transform,
        "layers": 2 if spec.transform else 1,
        "shift_labels": word == "causal_lm",
        "vocab_size": spec.vocab_size,
    }
    return values if spec.width is None else values | {"embedding_size": spec.width}


def _tensors(spec: HeadSpec, given: Mapping[str, Tensor], atlas: Atlas) -> dict[str, Tensor]:
    """By their names, without `heads` and the head's own name."""
    if isinstance(spec, DependencyParsingSpec):
        return {theirs: given[ours] for theirs, ours in PARSER_KEYS.items()}
    if not isinstance(spec, LanguageModelSpec):
        return {_linear_key(name): value for name, value in given.items()}
    found = dict(given)
    if spec.tied:
        found["decoder.weight"] = input_embeddings(atlas)
    numbers = _TRANSFORM if spec.transform else {"decoder": 0}
    parts = ((name.partition("."), value) for name, value in found.items())
    return {f"{numbers[module]}.{tensor}": value for (module, _, tensor), value in parts}


def _linear_key(name: str) -> str:
    number, _, tensor = name.partition(".")
    return f"{int(number) * _STEP + 1}.{tensor}"
