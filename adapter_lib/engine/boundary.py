"""The model's outermost call: Parallel copies the batch here, so that masks, biases and caches agree."""

from collections.abc import Mapping
from typing import Any

from torch import Tensor

from adapter_lib.spec.composition import BatchSplit, Block, MultiTask
from adapter_lib.spec.errors import CompositionError

# Arguments that count something else than rows, even where their first dimension equals the batch size.
_NOT_ROWS = frozenset({"cache_position", "logits_to_keep", "num_items_in_batch", "past_key_values"})

# The arguments that are a model's input, one of which every call has.
_INPUTS = ("input_ids", "inputs_embeds", "pixel_values", "input_values", "input_features", "encoder_outputs")


def replicate(
    args: tuple[Any, ...], kwargs: Mapping[str, Any], channels: int
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """The call's arguments with every batch tensor (labels too) repeated `channels` times.

    With a batch of B, rows k·B to (k + 1)·B - 1 of every argument and result belong to channel k.
    A KV cache is left alone: it comes from an earlier call and has all rows already.
    Raises CompositionError if no argument shows the batch size.
    """
    batch = _known(rows_of(args, kwargs))
    repeated = {
        name: value if name in _NOT_ROWS else _repeat(value, batch, channels)
        for name, value in kwargs.items()
    }
    return tuple(_repeat(value, batch, channels) for value in args), repeated


def check_batch(block: Block, tasks: Tensor | None, rows: int | None) -> None:
    """Refuse a batch whose rows a BatchSplit's sizes do not add up to, or that has other tasks than rows.

    rows: what `rows_of` says of the call. Points could not tell: they may see the tokens of all rows one by
    one. Raises CompositionError.
    """
    kinds = {type(node) for node in block.blocks()}
    if MultiTask in kinds and tasks is not None and len(tasks) != _known(rows):
        raise CompositionError(
            f"task_ids has {len(tasks)} entries for a batch of {rows} rows; give each row one."
        )
    if BatchSplit in kinds:
        _check_rows(block, _known(rows))


def _check_rows(node: str | Block, rows: int) -> None:
    # How many rows a task has is not known before.
    if not isinstance(node, Block) or isinstance(node, MultiTask):
        return
    if isinstance(node, BatchSplit) and sum(node.batch_sizes) != rows:
        raise CompositionError(
            f"{node!r} met a batch of {rows} rows, but its batch_sizes add up to {sum(node.batch_sizes)}."
        )
    sizes = node.batch_sizes if isinstance(node, BatchSplit) else (rows,) * len(node.children)
    for child, size in zip(node.children, sizes, strict=True):
        _check_rows(child, size)


def rows_of(args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> int | None:
    """The batch size that a call's arguments show, or None."""
    named = [kwargs.get(name) for name in _INPUTS]
    for value in (*named, *args):
        if isinstance(value, Tensor) and value.dim() > 1:
            return value.shape[0]
    return None


def _known(rows: int | None) -> int:
    if rows is not None:
        return rows
    raise CompositionError(
        "The composition finds no batch: the model was called without input_ids, inputs_embeds or the like."
    )


def _repeat(value: Any, batch: int, channels: int) -> Any:
    if isinstance(value, Tensor) and value.dim() > 0 and value.shape[0] == batch:
        return value.repeat(channels, *(1 for _ in value.shape[1:]))
    if type(value) is dict:
        return {name: _repeat(item, batch, channels) for name, item in value.items()}
    return value
