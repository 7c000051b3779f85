"""The model's outermost call: Parallel copies the batch here, so that masks, biases and caches agree."""

from collections.abc import Mapping
from typing import Any

from torch import Tensor

from adapter_lib.spec.errors import CompositionError

# Arguments that count something else than rows, even where their first dimension equals the batch size.
_NOT_ROWS = frozenset({"cache_position", "logits_to_keep", "num_items_in_batch", "past_key_values"})


def replicate(
    args: tuple[Any, ...], kwargs: Mapping[str, Any], channels: int
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """The call's arguments with every batch tensor (labels too) repeated `channels` times.

    With a batch of B, rows k·B to (k + 1)·B - 1 of every argument and result belong to channel k.
    A KV cache is left alone: it comes from an earlier call and has all rows already.
    Raises CompositionError if no argument shows the batch size.
    """
    batch = _batch_size(args, kwargs)
    repeated = {
        name: value if name in _NOT_ROWS else _repeat(value, batch, channels)
        for name, value in kwargs.items()
    }
    return tuple(_repeat(value, batch, channels) for value in args), repeated


def _batch_size(args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> int:
    named = [kwargs.get(name) for name in ("input_ids", "inputs_embeds", "pixel_values", "input_values")]
    for value in (*named, *args):
        if isinstance(value, Tensor) and value.dim() > 1:
            return value.shape[0]
    raise CompositionError(
        "Parallel finds no batch to copy: the model was called without input_ids or inputs_embeds."
    )


def _repeat(value: Any, batch: int, channels: int) -> Any:
    if isinstance(value, Tensor) and value.dim() > 0 and value.shape[0] == batch:
        return value.repeat(channels, *(1 for _ in value.shape[1:]))
    if type(value) is dict:
        return {name: _repeat(item, batch, channels) for name, item in value.items()}
    return value
