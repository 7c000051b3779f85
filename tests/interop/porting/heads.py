"""Prediction heads: which of them ours has, and what the others compute.

The peer's heads are lists of modules: a dropout in front of every linear map, an activation between them;
those of language models are a transformation (linear map, activation, norm) and the output embeddings.
"""

from collections.abc import Callable, Mapping
from typing import Any

from torch import Tensor
from torch.nn import functional as F
from transformers.activations import ACT2FN

_CLASSIFIERS = ("classification", "multilabel_classification", "image_classification")
_LANGUAGE_MODELS = ("masked_lm", "causal_lm", "seq2seq_lm")


def is_language_model(config: Mapping[str, Any]) -> bool:
    """True for a head that gives a score per token of the vocabulary."""
    return config["head_type"] in _LANGUAGE_MODELS


def classifier_settings(config: Mapping[str, Any], *, is_decoder: bool) -> dict[str, Any] | None:
    """What `add_classification_head` is to be given; None where ours has no such head."""
    if config["head_type"] not in _CLASSIFIERS or config["use_pooler"]:
        return None
    labels = sorted(config["label2id"], key=config["label2id"].get)
    return {
        "labels": labels,
        "pooling": "last" if is_decoder else "cls",
        "layers": config["layers"],
        "activation": config["activation_function"],
    }


def classifier_tensors(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """By our names: the linear maps counted."""
    modules = sorted({int(key.split(".")[-2]) for key in tensors})
    return {
        f"{modules.index(int(key.split('.')[-2]))}.{key.split('.')[-1]}": value
        for key, value in tensors.items()
    }


def linear_head(config: Mapping[str, Any], tensors: Mapping[str, Tensor], x: Tensor) -> Tensor:
    """The maps one after the other with the activation between them, for x [..., d]."""
    maps = classifier_tensors(tensors)
    for layer in range(config["layers"]):
        x = ACT2FN[config["activation_function"]](x) if layer else x
        x = F.linear(x, maps[f"{layer}.weight"], maps[f"{layer}.bias"])
    return x


def language_model_head(
    config: Mapping[str, Any],
    tensors: Mapping[str, Tensor],
    x: Tensor,
    *,
    undo: Callable[[Tensor], Tensor],
    epsilon: float,
) -> Tensor:
    """Scores [..., vocabulary]; `undo`, an inverse coupling, acts in front of the output embeddings."""
    named = {".".join(key.split(".")[-2:]): value for key, value in tensors.items()}
    if config["layers"] > 1:
        x = ACT2FN[config["activation_function"]](F.linear(x, named["0.weight"], named["0.bias"]))
        x = F.layer_norm(x, x.shape[-1:], named["2.weight"], named["2.bias"], epsilon)
    last = "3" if config["layers"] > 1 else "0"
    return F.linear(undo(x), named[f"{last}.weight"], named.get(f"{last}.bias"))
