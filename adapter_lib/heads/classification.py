"""A classification head: pooling over the last hidden state, then one or more linear layers."""

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from adapter_lib.spec.errors import AttachError
from adapter_lib.spec.manifest import HeadSpec

ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {"tanh": torch.tanh, "relu": F.relu, "gelu": F.gelu}


class ClassificationHead(nn.Module):
    """[B, S, d] → [B, labels].

    Before every linear layer stands the dropout, between them the activation. The layers are named `0`, `1` …
    """

    def __init__(self, spec: HeadSpec, hidden_size: int, like: Tensor) -> None:
        super().__init__()
        if spec.activation not in ACTIVATIONS:
            known = ", ".join(ACTIVATIONS)
            raise AttachError(f"There is no head activation {spec.activation!r}; known are: {known}.")
        self.spec = spec
        widths = [hidden_size] * spec.layers + [len(spec.labels)]
        for i in range(spec.layers):
            self.add_module(str(i), nn.Linear(widths[i], widths[i + 1], device=like.device, dtype=like.dtype))

    def forward(self, hidden: Tensor, mask: Tensor | None) -> Tensor:
        """Logits [B, labels] from hidden states [B, S, d] and the mask [B, S] (None: no padding)."""
        x = POOLINGS[self.spec.pooling](hidden, mask)
        for i in range(self.spec.layers):
            x = ACTIVATIONS[self.spec.activation](x) if i else x
            x = self.get_submodule(str(i))(F.dropout(x, self.spec.dropout, self.training))
        return x

    def loss(self, logits: Tensor, labels: Tensor, items: Tensor | int | None) -> Tensor:
        """Cross-entropy over labels [B] (-100: ignored): the mean, or the sum over a Trainer's `items`."""
        labels = labels.reshape(-1)
        if items is None:
            return F.cross_entropy(logits, labels)
        return F.cross_entropy(logits, labels, reduction="sum") / items


def pool_cls(hidden: Tensor, mask: Tensor | None) -> Tensor:
    """The first position, [B, d]."""
    return hidden[:, 0]


def pool_mean(hidden: Tensor, mask: Tensor | None) -> Tensor:
    """The mean over positions that are no padding, [B, d]."""
    if mask is None:
        return hidden.mean(dim=1)
    weights = mask.to(hidden.dtype).unsqueeze(-1)
    return (hidden * weights).sum(dim=1) / weights.sum(dim=1).clamp(min=1)


def pool_last(hidden: Tensor, mask: Tensor | None) -> Tensor:
    """The last position that is no padding, on whichever side the padding stands, [B, d]."""
    if mask is None:
        return hidden[:, -1]
    positions = torch.arange(hidden.shape[1], device=hidden.device)
    last = (mask.ne(0) * positions).argmax(dim=1)
    return hidden[torch.arange(hidden.shape[0], device=hidden.device), last]


POOLINGS: dict[str, Callable[[Tensor, Tensor | None], Tensor]] = {
    "cls": pool_cls,
    "mean": pool_mean,
    "last": pool_last,
}
