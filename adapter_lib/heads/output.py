"""What a model returns when several heads are active."""

from dataclasses import dataclass

from torch import Tensor
from transformers.utils.generic import ModelOutput


@dataclass
class MultiHeadOutput(ModelOutput):
    """The outputs of a Parallel whose channels have heads, in the order of the channels.

    loss: the sum of the heads' losses, if labels were given.
    logits: one tensor [B, labels of that head] per head.
    losses: one scalar per head, if labels were given.
    """

    loss: Tensor | None = None
    logits: tuple[Tensor, ...] | None = None
    losses: tuple[Tensor, ...] | None = None
