"""The activations of heads, by the names that files have for them."""

from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor
from torch.nn import functional as F

from adapter_lib.spec.errors import AttachError

ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "tanh": torch.tanh,
    "relu": F.relu,
    "gelu": F.gelu,
    "gelu_new": partial(F.gelu, approximate="tanh"),
    "silu": F.silu,
}


def activation_of(name: str) -> Callable[[Tensor], Tensor]:
    """Raises AttachError for a name that nobody knows."""
    if name not in ACTIVATIONS:
        raise AttachError(f"There is no head activation {name!r}; known are: {', '.join(ACTIVATIONS)}.")
    return ACTIVATIONS[name]
