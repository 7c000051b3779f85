"""What heads of `adapters` compute: linear maps one after the other, an activation between them."""

from collections.abc import Mapping
from typing import Any

from torch import Tensor
from torch.nn import functional as F
from transformers.activations import ACT2FN


def linear_head(config: Mapping[str, Any], tensors: Mapping[str, Tensor], x: Tensor) -> Tensor:
    """The maps one after the other with the activation between them, for x [..., d]."""
    numbers = sorted({int(key.split(".")[-2]) for key in tensors})
    stem = next(iter(tensors)).rsplit(".", 2)[0]
    for layer, number in enumerate(numbers):
        x = ACT2FN[config["activation_function"]](x) if layer else x
        x = F.linear(x, tensors[f"{stem}.{number}.weight"], tensors[f"{stem}.{number}.bias"])
    return x
