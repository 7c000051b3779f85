"""What a model returns when several heads are active."""

from dataclasses import dataclass

from torch import Tensor
from transformers.utils.generic import ModelOutput


@dataclass
class MultiHeadOutput(ModelOutput):
    """The outputs where several heads are active: of a Parallel's channels, a BatchSplit's parts, or tasks.

    loss: the sum of the heads' losses, if labels were given.
    logits: one tensor [rows of that head, labels of that head] per head.
    losses: one scalar per head, if labels were given.
    """

    loss: Tensor | None = None
    logits: tuple[Tensor, ...] | None = None
    losses: tuple[Tensor, ...] | None = None
