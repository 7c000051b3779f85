"""Losses with the label conventions of transformers."""

from torch import Tensor
from torch.nn import functional as F

from adapter_lib.heads.base import Items

IGNORED = -100


def cross_entropy(logits: Tensor, labels: Tensor, items: Items) -> Tensor:
    """Over labels [...] for logits [..., C], -100 ignored: the mean, or the sum over a Trainer's `items`."""
    flat, wanted = logits.reshape(-1, logits.shape[-1]), labels.reshape(-1).to(logits.device)
    if items is None:
        return F.cross_entropy(flat, wanted)
    return F.cross_entropy(flat, wanted, reduction="sum") / items


def shared_out(total: Tensor, mean: Tensor, items: Items) -> Tensor:
    """The mean, or the total over a Trainer's `items`."""
    return mean if items is None else total / items
