"""Whether a module calls transformers' attention interface: asked by putting a function of ours behind it."""

import copy
import sys
from collections.abc import Callable
from typing import Any

import torch
from torch import nn

_NAME = "adapter_lib_families_inference"


def calls_interface(run: Callable[[], object], layer: nn.Module, path: str) -> bool:
    """True if the attention module at a path of the layer looks its function up in the interface."""
    module: Any = layer.get_submodule(path)
    eager = getattr(sys.modules[type(module).__module__], "eager_attention_forward", None)
    config = getattr(module, "config", None)
    if eager is None or not hasattr(config, "_attn_implementation"):
        return False
    from transformers import AttentionInterface

    called: list[nn.Module] = []

    def noting(attention: nn.Module, *args: Any, **kwargs: Any) -> Any:
        called.append(attention)
        return eager(attention, *args, **kwargs)

    AttentionInterface.register(_NAME, noting)
    module.config = copy.copy(config)
    module.config._attn_implementation_internal = _NAME
    try:
        with torch.no_grad():
            run()
    finally:
        module.config = config
        AttentionInterface._global_mapping.pop(_NAME)
    return module in called
