"""A backbone without weights, from its config alone: where an adapter's tensors must fit."""

from collections.abc import Mapping
from typing import Any

import torch
from huggingface_hub.errors import StrictDataclassError
from transformers import AutoConfig, AutoModel

from adapter_lib.families import family_of, resolve
from adapter_lib.inject import Atlas
from adapter_lib.spec.errors import FamilyError

_AUTO: Any = AutoModel
# What transformers raises for sizes that make no model, depending on where it notices.
_NO_MODEL = (
    ValueError, TypeError, KeyError, AttributeError, ArithmeticError, RuntimeError, StrictDataclassError
)  # fmt: skip
# A config is a stranger's word; more layers than any real model has are not built.
_MOST_LAYERS = 1000


def skeleton(backbone_config: Mapping[str, Any]) -> Atlas:
    """The places of a backbone with this config.json; its weights are on the meta device: nothing is large.

    Raises FamilyError for a type without a role table and for sizes that make no model.
    """
    model_type = backbone_config.get("model_type")
    family_of(model_type)
    values = {key: value for key, value in backbone_config.items() if key not in ("model_type", "auto_map")}
    try:
        config = AutoConfig.for_model(str(model_type), **values)
        _check_depth(config)
        with torch.device("meta"):
            model = _AUTO.from_config(config, trust_remote_code=False)
    except _NO_MODEL as error:
        raise FamilyError(f"The backbone's config makes no {model_type} model: {error}") from error
    return Atlas(resolve(model), model)


def _check_depth(config: Any) -> None:
    depth = getattr(config, "num_hidden_layers", 0)
    if not isinstance(depth, int) or depth > _MOST_LAYERS:
        raise ValueError(f"{depth!r} layers")
