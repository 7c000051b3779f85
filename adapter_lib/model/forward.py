"""The outermost call of a model: copies the batch for Parallel, tells tasks, keeps records, runs the heads.

A plain call passes through.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn

from adapter_lib.engine import Call, check_batch, replicate, rows_of
from adapter_lib.model.head_labels import Asked, flattened, take_own
from adapter_lib.model.predicting import predict
from adapter_lib.model.records import wants, with_records
from adapter_lib.model.regularisation import regularised, share_of
from adapter_lib.model.runtime import Runtime
from adapter_lib.spec.errors import AttachError

_CHOICE = "multiple_choice"

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
    call.rows = rows_of(args, kwargs)
    call.forget_masks()
    share = share_of(kwargs)
    for_heads = Asked()
    if runtime.active_heads:
        args, kwargs, for_heads = _asked_of_heads(runtime, args, kwargs)
        call.rows = rows_of(args, kwargs)
    if model.training:
        runtime.injection.begin()
    try:
        if runtime.injection.block is not None and not runtime.is_generating:
            check_batch(runtime.injection.block, call.tasks, call.rows)
        if runtime.channels > 1 and not runtime.is_replicated:
            args, kwargs = replicate(args, kwargs, runtime.channels)
            call.rows = call.rows and call.rows * runtime.channels
            call.tasks = None if call.tasks is None else call.tasks.repeat(runtime.channels)
        around = _with_towers(forward, call)
        if runtime.active_heads:
            output = predict(model, runtime, around, args, kwargs, for_heads)
        else:
            output = _without_heads(model, runtime, around, args, kwargs)
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


def _without_heads(
    model: nn.Module, runtime: Runtime, forward: Forward, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> Any:
    if not runtime.takes_labels and "labels" in kwargs and kwargs.pop("labels") is not None:
        raise AttachError(
            f"{type(model).__name__} got labels but has no active head; add_classification_head() adds one."
        )
    return forward(model, *args, **kwargs)


def _asked_of_heads(
    runtime: Runtime, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> tuple[tuple[Any, ...], dict[str, Any], Asked]:
    """The call as the model is to see it, and what is for the heads only."""
    asked = take_own(kwargs)
    types = {runtime.heads.get(name).spec.type for name in runtime.active_heads}
    if _CHOICE not in types:
        return args, kwargs, asked
    if len(types) > 1:
        raise AttachError("A multiple-choice head reads other inputs than the other active heads.")
    args, kwargs, choices = flattened(args, kwargs)
    return args, kwargs, replace(asked, choices=choices)
