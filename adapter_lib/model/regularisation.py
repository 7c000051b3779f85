"""What adapters and learned blocks want added to the loss, and adding it."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from adapter_lib.engine import BlockPart, Part
from adapter_lib.inject import Injection
from adapter_lib.spec.composition import LearnedBlock

# What transformers' losses pass over.
_IGNORED = -100


def terms_of(injection: Injection) -> list[Tensor]:
    """The terms of the active adapters and learned blocks, scalars."""
    if injection.block is None:
        return []
    parts: list[Part | BlockPart] = [
        part for name in injection.block.names() for part in injection.members(name)
    ]
    for node in injection.block.blocks():
        if isinstance(node, LearnedBlock):
            parts += injection.block_parts(node.kind, node.key()).values()
    return [term for part in parts if (term := part.regularisation()) is not None]


def share_of(kwargs: Mapping[str, Any]) -> float | Tensor:
    """Which part of an optimiser's step a call is, so that the terms are added once per step.

    Trainer sums the losses of the calls of one step when it passes `num_items_in_batch`, the number of labels
    in all of them; else it takes their mean, and the share is 1.
    """
    labels, items = kwargs.get("labels"), kwargs.get("num_items_in_batch")
    if items is None or not isinstance(labels, Tensor):
        return 1.0
    share: Tensor = (labels != _IGNORED).sum() / items
    return share


def regularised(output: Any, injection: Injection, share: float | Tensor) -> Any:
    """A model's output in training with the terms added to its loss; without a loss as it is.

    What stands still (a frozen adapter under a fusion that is trained) adds nothing.
    """
    terms = [term for term in terms_of(injection) if term.requires_grad]
    if not terms:
        return output
    extra = share * torch.stack(terms).sum()
    if isinstance(output, tuple):
        has_loss = isinstance(output[0], Tensor) and output[0].dim() == 0
        return (output[0] + extra.to(output[0]), *output[1:]) if has_loss else output
    loss = getattr(output, "loss", None)
    if isinstance(loss, Tensor):
        output.loss = loss + extra.to(loss)
    return output
