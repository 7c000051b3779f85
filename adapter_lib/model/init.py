"""Prepare a model for adapters, and undo it."""

from typing import Any, TypeVar, cast

from torch import nn
from transformers import PreTrainedModel

from adapter_lib.families import FamilySpec
from adapter_lib.heads import HeadStore
from adapter_lib.inject import Injection
from adapter_lib.model.adapted import adapted_class, takes_labels
from adapter_lib.model.facade import AdapterModel
from adapter_lib.model.runtime import Runtime
from adapter_lib.points import hang, unhang
from adapter_lib.spec.errors import AttachError, FamilyError

M = TypeVar("M", bound=nn.Module)


def init(model: M, *, family: FamilySpec | None = None, at: str = "") -> M:
    """Give a model the methods of `AdapterModel`, in place; the same object comes back.

    The model's outputs, its state-dict keys and what `save_pretrained` writes stay as they are.

    family: a table to use for a model that has none; `adapter_lib.families.infer` proposes one. A plain
        nn.Module without a table takes adapters on its maps by name, regular expression or all-linear.
    at: the path of a sub-model to adapt, such as `model.language_model`; calls still go to the whole model.
    Raises FamilyError if there is no role table for the model or no module at the path, AttachError if PEFT
    adapters are on it already.
    """
    if isinstance(model, AdapterModel):
        return model
    if getattr(model, "_hf_peft_config_loaded", False):
        raise AttachError("The model carries adapters of PEFT; use a model without them.")
    injection = Injection.of(_part_at(model, at), family)
    heads = HeadStore(injection.atlas.resolved.hidden_size)
    hang(model, "heads", heads)
    hang(model, "shared", injection.shared)
    anything: Any = model
    ignored = set(getattr(model, "_keys_to_ignore_on_save", None) or ())
    anything.adapter_runtime = Runtime(injection, heads, takes_labels(type(model)), ignored_on_save=ignored)
    anything.__class__ = adapted_class(type(model), AdapterModel)
    return model


def detach(model: M, *, merged: bool = False) -> M:
    """Take everything off that `init` and later calls put on; the model is as it was, its class included.

    Weights and outputs are restored bit for bit. Adapters that were not saved are lost.
    merged: leave in the weights what `merge_adapter` put there: the plain model that has learned it, to be
        saved and shipped. Raises AttachError if nothing is merged.
    Raises AttachError if the model was not prepared.
    """
    if not isinstance(model, AdapterModel):
        raise AttachError(f"{type(model).__name__} was not prepared by adapter_lib.init.")
    adapted = cast("Any", model)
    runtime: Runtime = adapted.adapter_runtime
    if merged and runtime.injection.merged() is None:
        raise AttachError("Nothing is merged into the weights: merge_adapter() first.")
    if merged:
        runtime.injection.keep_merged()
    adapted.reset_adapter()
    adapted._drop_embeddings()
    for kind, key in list(runtime.injection.blocks):
        runtime.injection.remove_block(kind, key)
    for name in list(runtime.injection.configs):
        runtime.injection.remove(name)
    unhang(model, "heads")
    unhang(model, "shared")
    if isinstance(adapted, PreTrainedModel):
        adapted._keys_to_ignore_on_save = runtime.ignored_on_save
    else:
        adapted.__dict__.pop("_keys_to_ignore_on_save", None)
    del adapted.adapter_runtime
    adapted.__class__ = adapted.adapter_base_class
    for name, parameter in adapted.named_parameters():
        parameter.requires_grad_(runtime.required_grad.get(name, parameter.requires_grad))
    return cast("M", adapted)


def _part_at(model: nn.Module, path: str) -> nn.Module:
    try:
        return model.get_submodule(path)
    except AttributeError:
        raise FamilyError(f"{type(model).__name__} has no module {path!r} to adapt.") from None
