"""Cutting tensors into rows, whatever the first dimension counts.

A place may see a batch [B, S, d] or flattened [B·S, d] (a mixture of experts flattens it). So rows are told
in units: `start` to `stop` out of `of` equal shares of the first dimension.
"""

from torch import Tensor

from adapter_lib.spec.errors import CompositionError


def slice_rows(tensor: Tensor, start: int, stop: int, of: int) -> Tensor:
    """The shares from `start` up to `stop`, as a view. A single row stands for all."""
    if tensor.shape[0] == 1 and of > 1:
        return tensor
    size = share(tensor.shape[0], of)
    return tensor[start * size : stop * size]


def pick_rows(tensor: Tensor, index: Tensor, of: int) -> Tensor:
    """The shares with the numbers in `index` [N], in that order."""
    if tensor.shape[0] == 1 and of > 1:
        return tensor
    size = share(tensor.shape[0], of)
    if size == 1:
        return tensor[index]
    return tensor.reshape(of, size, *tensor.shape[1:])[index].flatten(0, 1)


def share(rows: int, of: int) -> int:
    """How many rows each of `of` shares has. Raises CompositionError if they cannot be equal."""
    if rows == 1 and of > 1:
        raise CompositionError(
            "The adapters of different rows cannot act apart here: all rows share the one row that this "
            "place sees, such as the projected positions of DeBERTa. Leave it out of targets."
        )
    if of < 1 or rows % of:
        raise CompositionError(
            f"A composition over {of} rows or copies of the batch met a batch of {rows} rows, which is no "
            "multiple. Was a part of the model called on its own? Parallel copies the batch where the model "
            "itself is called; the sizes of a BatchSplit must add up to the rows of the batch."
        )
    return rows // of
