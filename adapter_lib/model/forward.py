"""The outermost call of a model: copies the batch for Parallel, tells tasks, keeps records, runs the heads.

A plain call passes through.
"""

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor, nn
from transformers.modeling_outputs import SequenceClassifierOutput

from adapter_lib.engine import Call, check_batch, replicate, rows_of
from adapter_lib.heads import MultiHeadOutput
from adapter_lib.model.records import wants, with_records
from adapter_lib.model.regularisation import regularised, share_of
from adapter_lib.model.runtime import Runtime
from adapter_lib.spec.errors import AttachError

# What a model with a language-model head takes and its base model does not.
_HEAD_ONLY = ("logits_to_keep",)

Forward = Callable[..., Any]


def run(
    model: nn.Module, runtime: Runtime, forward: Forward, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> Any:
    """Call the model's own `forward(model, …)` as the active adapters and heads need it."""
    call = runtime.injection.call
    asked = wants(kwargs)
    if "task_ids" in kwargs or not runtime.is_generating:
        call.tasks = task_numbers(runtime, kwargs.pop("task_ids", None))
    call.record = {} if asked else None
    share = share_of(kwargs)
    if model.training:
        runtime.injection.begin()
    try:
        if runtime.injection.block is not None and not runtime.is_generating:
            check_batch(runtime.injection.block, call.tasks, args, kwargs)
        if runtime.channels > 1 and not runtime.is_replicated:
            args, kwargs = replicate(args, kwargs, runtime.channels)
            call.tasks = None if call.tasks is None else call.tasks.repeat(runtime.channels)
        call.rows = rows_of(args, kwargs)
        output = _predict(model, runtime, _with_towers(forward, call), args, kwargs)
        if model.training:
            output = regularised(output, runtime.injection, share)
        return with_records(output, call.record, asked) if call.record is not None else output
    finally:
        call.record = None


def _with_towers(forward: Forward, call: Call) -> Forward:
    """The model's own forward and what acts around it, where the model itself is a tower."""
    if not call.inside:
        return forward

    def around(model: nn.Module, *args: Any, **kwargs: Any) -> Any:
        for acting in call.inside:
            args, kwargs = acting.enter(args, kwargs)
        output = forward(model, *args, **kwargs)
        for acting in reversed(call.inside):
            output = acting.leave(output)
        return output

    return around


def task_numbers(runtime: Runtime, given: Any) -> Tensor | None:
    """`task_ids` [B] as numbers: names are looked up in the active MultiTask. Raises AttachError."""
    if given is None or isinstance(given, Tensor):
        return given
    names = runtime.task_names()
    unknown = [task for task in given if task not in names and not isinstance(task, int)]
    if unknown:
        known = ", ".join(names) or "none: no MultiTask is active"
        raise AttachError(f"task_ids names {unknown[0]!r}; the tasks are: {known}.")
    return torch.tensor([task if isinstance(task, int) else names.index(task) for task in given])


def _predict(
    model: nn.Module, runtime: Runtime, forward: Forward, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> Any:
    if not runtime.active_heads:
        if not runtime.takes_labels and "labels" in kwargs and kwargs.pop("labels") is not None:
            raise AttachError(
                f"{type(model).__name__} got labels but has no active head; "
                "add_classification_head() adds one."
            )
        return forward(model, *args, **kwargs)
    labels, items = kwargs.pop("labels", None), kwargs.pop("num_items_in_batch", None)
    as_tuple = kwargs.pop("return_dict", None) is False
    mask = _mask(args, kwargs)
    out = _base_output(model, forward, args, kwargs)
    hidden = out.last_hidden_state
    if len(runtime.active_heads) == 1:
        result: Any = _single(runtime, hidden, mask, labels, items, out)
    else:
        result = _several(runtime, hidden, mask, labels, items)
    return result.to_tuple() if as_tuple else result


def _base_output(model: nn.Module, forward: Forward, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:
    """The base model's output; a head of the model's own is passed by."""
    base: Any = getattr(model, "base_model", model)
    if base is model:
        return forward(model, *args, **kwargs, return_dict=True)
    kept = {name: value for name, value in kwargs.items() if name not in _HEAD_ONLY}
    return base(*args, **kept, return_dict=True)


def _mask(args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Tensor | None:
    """The attention mask [B, S]; every family takes it as its second argument."""
    mask = kwargs.get("attention_mask", args[1] if len(args) > 1 else None)
    if mask is None or (isinstance(mask, Tensor) and mask.dim() == 2):
        return mask
    raise AttachError(
        "A classification head pools over tokens: it needs attention_mask as a tensor [batch, tokens]."
    )


def _single(
    runtime: Runtime, hidden: Tensor, mask: Tensor | None, labels: Tensor | None, items: Any, out: Any
) -> SequenceClassifierOutput:
    head = runtime.heads.get(runtime.active_heads[0])
    logits = head(hidden, mask)
    return SequenceClassifierOutput(
        loss=None if labels is None else head.loss(logits, labels, items),
        logits=logits,
        hidden_states=out.get("hidden_states"),
        attentions=out.get("attentions"),
    )


def _several(
    runtime: Runtime, hidden: Tensor, mask: Tensor | None, labels: Tensor | None, items: Any
) -> MultiHeadOutput:
    heads = [runtime.heads.get(name) for name in runtime.active_heads]
    rows = runtime.head_rows(hidden.shape[0], len(heads))
    logits = tuple(
        head(hidden[own], None if mask is None else mask[own]) for head, own in zip(heads, rows, strict=True)
    )
    if labels is None:
        return MultiHeadOutput(logits=logits)
    losses = tuple(
        # No row: the mean over nothing would be no number.
        head.loss(given, labels[own], items) if len(given) else given.sum()
        for head, given, own in zip(heads, logits, rows, strict=True)
    )
    return MultiHeadOutput(loss=sum(losses[1:], losses[0]), logits=logits, losses=losses)
