"""From a non-linearity's name in a config to the module that computes it."""

from collections.abc import Callable

from torch import nn
from transformers.activations import ACT2FN

# Names that ACT2FN does not have. `gelu_orig` is what old configs call the exact one.
_MORE: dict[str, Callable[[], nn.Module]] = {
    "elu": nn.ELU,
    "gelu_orig": nn.GELU,
    "leakyrelu": nn.LeakyReLU,
    "selu": nn.SELU,
}


def non_linearity(name: str) -> nn.Module:
    """A module without parameters, for one of `NON_LINEARITIES`."""
    found: nn.Module = _MORE[name]() if name in _MORE else ACT2FN[name]
    return found
