"""The outermost call of a model: copies the batch for Parallel and runs the active heads.

A plain call passes through.
"""

from collections.abc import Callable, Mapping
from typing import Any

from torch import Tensor, nn
from transformers.modeling_outputs import SequenceClassifierOutput

from adapter_lib.engine import replicate
from adapter_lib.heads import MultiHeadOutput
from adapter_lib.model.runtime import Runtime
from adapter_lib.spec.errors import AttachError

# What a model with a language-model head takes and its base model does not.
_HEAD_ONLY = ("logits_to_keep",)


def run(
    model: nn.Module,
    runtime: Runtime,
    forward: Callable[..., Any],
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
) -> Any:
    """Call the model's own `forward(model, …)` as the active adapters and heads need it."""
    if runtime.channels > 1 and not runtime.is_replicated:
        args, kwargs = replicate(args, kwargs, runtime.channels)
    if runtime.active_heads:
        return _predict(model, runtime, forward, args, kwargs)
    if not runtime.takes_labels and "labels" in kwargs and kwargs.pop("labels") is not None:
        raise AttachError(
            f"{type(model).__name__} got labels but has no active head; add_classification_head() adds one."
        )
    return forward(model, *args, **kwargs)


def _predict(
    model: nn.Module,
    runtime: Runtime,
    forward: Callable[..., Any],
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
) -> Any:
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


def _base_output(
    model: nn.Module, forward: Callable[..., Any], args: tuple[Any, ...], kwargs: Mapping[str, Any]
) -> Any:
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
        hidden_states=out.hidden_states,
        attentions=out.attentions,
    )


def _several(
    runtime: Runtime, hidden: Tensor, mask: Tensor | None, labels: Tensor | None, items: Any
) -> MultiHeadOutput:
    heads = [runtime.heads.get(name) for name in runtime.active_heads]
    count = len(heads)
    masks = [None] * count if mask is None else mask.chunk(count)
    pieces = zip(heads, hidden.chunk(count), masks, strict=True)
    logits = tuple(head(piece, piece_mask) for head, piece, piece_mask in pieces)
    if labels is None:
        return MultiHeadOutput(logits=logits)
    asked = zip(heads, logits, labels.chunk(count), strict=True)
    losses = tuple(head.loss(given, wanted, items) for head, given, wanted in asked)
    return MultiHeadOutput(loss=sum(losses[1:], losses[0]), logits=logits, losses=losses)
