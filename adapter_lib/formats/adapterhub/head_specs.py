"""What AdapterHub's library says of a prediction head, and what ours says of it, both ways.

Its heads are lists of modules: a dropout in front of every linear map, an activation between them; those of
language models are a transformation (linear map, activation, norm) and the output embeddings.
"""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from adapter_lib.inject import Atlas
from adapter_lib.spec.errors import LoadError
from adapter_lib.spec.heads import (
    ACTIVATIONS,
    CausalLMSpec,
    ClassificationSpec,
    DependencyParsingSpec,
    HeadSpec,
    ImageClassificationSpec,
    LanguageModelSpec,
    MaskedLMSpec,
    MultilabelSpec,
    MultipleChoiceSpec,
    PooledSpec,
    QuestionAnsweringSpec,
    RegressionSpec,
    Seq2SeqLMSpec,
    TaggingSpec,
    checked,
)
from adapter_lib.spec.heads.linears import LinearSpec
from adapter_lib.spec.roles import TOKENS_ROLE
from adapter_lib.spec.strict_json import quoted

CONFIG_FILE = "head_config.json"
WEIGHTS_FILE = "model_head.safetensors"
PICKLE_FILE = "pytorch_model_head.bin"

LINEAR: Mapping[str, type[LinearSpec]] = {
    "classification": ClassificationSpec,
    "multilabel_classification": MultilabelSpec,
    "image_classification": ImageClassificationSpec,
    "multiple_choice": MultipleChoiceSpec,
    "tagging": TaggingSpec,
    "question_answering": QuestionAnsweringSpec,
}
LANGUAGE: Mapping[str, type[LanguageModelSpec]] = {
    "masked_lm": MaskedLMSpec,
    "causal_lm": CausalLMSpec,
    "seq2seq_lm": Seq2SeqLMSpec,
}
PARSER = "dependency_parsing"
_WITHOUT_LABELS = ("question_answering", "multiple_choice")
_ACTIVATIONS = {"swish": "silu"}
_MOST = 10_000
# Of the parser: their name → ours.
PARSER_KEYS = {"biaffine_arcs.weight": "arc.weight", "biaffine_rels.weight": "rel.weight"}
_NORM_EPS = 1e-12


def why_not(config: Mapping[str, Any]) -> str | None:
    """Why a head of theirs has no counterpart here, if it has none."""
    kind = config.get("head_type")
    if kind not in (*LINEAR, *LANGUAGE, PARSER):
        return f"there is no head of the type {quoted(str(kind))} here"
    if kind == PARSER:
        return None
    if config.get("use_pooler"):
        return "it reads the model's own pooler, which no head here does"
    if kind == "image_classification" and config.get("multilabel"):
        return "an image has one class here"
    layers, activation = config.get("layers", 1), config.get("activation_function")
    if layers != 1 and _activation(activation) not in ACTIVATIONS:
        return f"the activation {quoted(str(activation))} is none of {', '.join(ACTIVATIONS)}"
    if kind in LANGUAGE and layers != 1 and not (layers == 2 and config.get("layer_norm")):
        return "a language model's head has one transformation with a norm here, or none"
    return None


def spec_of(config: Mapping[str, Any], tensors: Mapping[str, Tensor], atlas: Atlas) -> HeadSpec:
    """Ours for a config that has a counterpart. tensors: by our names. Raises LoadError or ConfigError."""
    kind = str(config["head_type"])
    if kind == PARSER:
        return checked(DependencyParsingSpec(labels=_labels(config)))
    if kind in LANGUAGE:
        return checked(_language_spec(LANGUAGE[kind], config, tensors, atlas))
    labels = () if kind in _WITHOUT_LABELS else _labels(config)
    cls = LINEAR[kind]
    if cls is ClassificationSpec and len(labels) == 1:
        cls = RegressionSpec
    values: dict[str, Any] = {
        "labels": labels,
        "layers": config.get("layers", 1),
        "activation": _activation(config.get("activation_function")) or "tanh",
        "dropout": float(config.get("dropout_prob") or 0.0),
        "use_bias": bool(config.get("bias", True)),
    }
    if issubclass(cls, PooledSpec):
        values["pooling"] = pooling_of(atlas)
    return checked(cls(**values))


def our_names(config: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """A head's tensors by our names. Raises LoadError for keys that are no numbered module's."""
    if config["head_type"] == PARSER:
        found = {".".join(key.split(".")[-2:]): value for key, value in tensors.items()}
        unknown = next((key for key in found if key not in PARSER_KEYS), None)
        if unknown is not None:
            raise LoadError(f"The head's tensor {quoted(unknown)} is no parser's.")
        return {PARSER_KEYS[key]: value for key, value in found.items()}
    numbers = sorted({_number(key) for key in tensors})
    named = {number: str(place) for place, number in enumerate(numbers)}
    if config["head_type"] in LANGUAGE:
        words = ("decoder",) if len(numbers) == 1 else ("transform", "norm", "decoder")
        if len(numbers) != len(words):
            raise LoadError(f"A language model's head has 1 or 3 modules with weights, not {len(numbers)}.")
        named = dict(zip(numbers, words, strict=True))
    return {f"{named[_number(key)]}.{key.rpartition('.')[2]}": value for key, value in tensors.items()}


def pooling_of(atlas: Atlas) -> str:
    """Which state their heads read: a decoder's last token's, a pair's at the end token, else the first."""
    if len(atlas.resolved.towers) > 1:
        return "eos"
    return "last" if all(tower.table.role == "decoder" for tower in atlas.resolved.towers) else "cls"


def scale_of(atlas: Atlas) -> float:
    """What a state is multiplied by in front of the output embeddings: T5 does so where these are tied."""
    config = atlas.config
    is_scaled = config.model_type in ("t5", "mt5") and config.tie_word_embeddings
    return float(config.d_model**-0.5) if is_scaled else 1.0


def input_embeddings(atlas: Atlas) -> Tensor:
    """The matrix that a tied head has for its own. Raises LoadError for a model without one."""
    spot = next((spot for spot in atlas.spots.values() if spot.place.role == TOKENS_ROLE), None)
    if spot is None:
        raise LoadError("The model has no embeddings of tokens for a head to be tied to.")
    return spot.module.get_parameter("weight").detach()


def norm_eps_of(atlas: Atlas) -> float:
    """What their heads' norms add to the variance."""
    return float(getattr(atlas.config, "layer_norm_eps", _NORM_EPS))


def is_tied(tensors: Mapping[str, Tensor], atlas: Atlas) -> bool:
    """True for the tensors of a head whose output embeddings are the model's input embeddings."""
    own, decoder = input_embeddings(atlas), tensors.get("decoder.weight")
    return decoder is not None and decoder.shape == own.shape and torch.equal(decoder.to(own), own)


def _language_spec(
    cls: type[LanguageModelSpec], config: Mapping[str, Any], tensors: Mapping[str, Tensor], atlas: Atlas
) -> LanguageModelSpec:
    """Tied to the model's input embeddings if these are what the file has, else with its own."""
    decoder = tensors.get("decoder.weight")
    if decoder is None or decoder.dim() != 2:
        raise LoadError("A language model's head needs its output embeddings.")
    hidden = atlas.resolved.hidden_size
    return cls(
        vocab_size=decoder.shape[0],
        tied=is_tied(tensors, atlas),
        width=None if decoder.shape[1] == hidden else decoder.shape[1],
        transform="transform.weight" in tensors,
        activation=_activation(config.get("activation_function")) or "gelu",
        norm_eps=norm_eps_of(atlas),
        scale=scale_of(atlas),
        use_bias="decoder.bias" in tensors,
    )


def _activation(given: Any) -> str | None:
    return None if given is None else _ACTIVATIONS.get(str(given), str(given))


def _number(key: str) -> int:
    number = key.rpartition(".")[0].rpartition(".")[2]
    if not number.isdecimal():
        raise LoadError(f"The head's tensor {quoted(key)} belongs to no numbered module.")
    return int(number)


def _labels(config: Mapping[str, Any]) -> tuple[str, ...]:
    given = config.get("label2id")
    if not isinstance(given, Mapping) or not given:
        count = config.get("num_labels")
        if type(count) is not int or not 0 < count <= _MOST:
            raise LoadError(f"{CONFIG_FILE} says neither label2id nor num_labels.")
        return tuple(f"LABEL_{i}" for i in range(count))
    if sorted(given.values(), key=str) != sorted(range(len(given)), key=str):
        raise LoadError(f"{CONFIG_FILE}: label2id must number the labels from 0 on.")
    return tuple(sorted(given, key=lambda label: int(given[label])))
