"""What a model returns when several heads are active."""

from dataclasses import dataclass

from torch import Tensor
from transformers.utils.generic import ModelOutput


@dataclass
class MultiHeadOutput(ModelOutput):
    """The outputs where several heads are active: on all rows, or one per channel, part of a batch, or task.

    loss: the sum of the heads' losses, if labels were given.
    logits: per head one tensor, such as [rows of that head, labels of that head]; a tuple of tensors for a
        head that gives several, such as the starts and ends of answers.
    losses: one scalar per head, if labels were given.
    """

    loss: Tensor | None = None
    logits: tuple[Tensor | tuple[Tensor, ...], ...] | None = None
    losses: tuple[Tensor, ...] | None = None
