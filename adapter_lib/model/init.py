"""Prepare a model for adapters, and undo it."""

from typing import Any, TypeVar, cast

from torch import nn
from transformers import PreTrainedModel

from adapter_lib.heads import HeadStore
from adapter_lib.inject import Injection
from adapter_lib.model.adapted import adapted_class, takes_labels
from adapter_lib.model.facade import AdapterModel
from adapter_lib.model.runtime import Runtime
from adapter_lib.points import hang, unhang
from adapter_lib.spec.errors import AttachError

M = TypeVar("M", bound=nn.Module)


def init(model: M) -> M:
    """Give a transformers model the methods of `AdapterModel`, in place; the same object comes back.

    The model's outputs, its state-dict keys and what `save_pretrained` writes stay as they are.
    Raises FamilyError if there is no role table for the model, AttachError if PEFT adapters are on it
    already.
    """
    if isinstance(model, AdapterModel):
        return model
    injection = Injection.of(model)
    if not isinstance(model, PreTrainedModel):
        raise AttachError(f"{type(model).__name__} is no transformers model (PreTrainedModel).")
    if getattr(model, "_hf_peft_config_loaded", False):
        raise AttachError("The model carries adapters of PEFT; use a model without them.")
    heads = HeadStore(injection.resolved.hidden_size)
    hang(model, "heads", heads)
    ignored = set(model._keys_to_ignore_on_save or ())
    runtime = Runtime(injection, heads, takes_labels(type(model)), ignored_on_save=ignored)
    anything: Any = model
    anything.adapter_runtime = runtime
    anything.__class__ = adapted_class(type(model), AdapterModel)
    return model


def detach(model: M) -> M:
    """Take everything off that `init` and later calls put on; the model is as it was, its class included.

    Weights and outputs are restored bit for bit. Adapters that were not saved are lost.
    Raises AttachError if the model was not prepared.
    """
    if not isinstance(model, AdapterModel):
        raise AttachError(f"{type(model).__name__} was not prepared by adapter_lib.init.")
    adapted = cast("Any", model)
    runtime: Runtime = adapted.adapter_runtime
    adapted.reset_adapter()
    for name in list(runtime.injection.configs):
        runtime.injection.remove(name)
    unhang(model, "heads")
    adapted._keys_to_ignore_on_save = runtime.ignored_on_save
    del adapted.adapter_runtime
    adapted.__class__ = adapted.adapter_base_class
    for name, parameter in adapted.named_parameters():
        parameter.requires_grad_(runtime.required_grad.get(name, parameter.requires_grad))
    return cast("M", adapted)
