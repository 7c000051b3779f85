"""An optimizer's parameter groups: what is trained, by learning rate and weight decay."""

from collections.abc import Collection
from typing import Any

from torch import nn

from adapter_lib.training.rates import Rates

Group = dict[str, Any]


def grouped(model: nn.Module, rates: Rates, weight_decay: float, decayed: Collection[str]) -> list[Group]:
    """One group for each rate with and without weight decay, in the order of the model's parameters.

    rates: of everything that is trained. decayed: the names of the parameters that decay.
    """
    groups: dict[tuple[float, float], list[nn.Parameter]] = {}
    for name, parameter in model.named_parameters():
        if parameter.requires_grad:
            decay = weight_decay if name in decayed else 0.0
            groups.setdefault((rates[parameter], decay), []).append(parameter)
    return [
        {"params": parameters, "lr": rate, "weight_decay": decay}
        for (rate, decay), parameters in groups.items()
    ]


def decaying(model: nn.Module) -> set[str]:
    """The names of the parameters that decay: matrices, but none of a norm, as transformers has it."""
    norms = {
        f"{path}.{name}" if path else name
        for path, module in model.named_modules()
        if "norm" in type(module).__name__.lower()
        for name, _ in module.named_parameters(recurse=False)
    }
    return {name for name, p in model.named_parameters() if "bias" not in name and name not in norms}
