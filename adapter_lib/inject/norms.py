"""Finding the norms of a module, whatever their class is called."""

from torch import nn


def norms_of(module: nn.Module) -> list[nn.Module]:
    """The norms below a module (or the module itself) that have a weight of one dimension, in their order."""
    return [found for found in module.modules() if is_norm(found)]


def is_norm(module: nn.Module) -> bool:
    """True for layer norms and RMS norms with a weight."""
    weight = getattr(module, "weight", None)
    named = "norm" in type(module).__name__.lower()
    return named and isinstance(weight, nn.Parameter) and weight.dim() == 1


def norm_width(module: nn.Module) -> int:
    """The number of values that a norm scales."""
    weight = module.weight
    return weight.shape[0] if isinstance(weight, nn.Parameter) else 0
