"""Which learning rate every trained parameter gets."""

import dataclasses
from collections.abc import Mapping

from torch import nn
from transformers import TrainingArguments

from adapter_lib.model import AdapterModel
from adapter_lib.training.owners import Owner, owners_of

Rates = Mapping[nn.Parameter, float]


def is_default_rate(arguments: TrainingArguments) -> bool:
    """True if nobody chose a learning rate: it is what the arguments' class has by itself."""
    defaults = {field.name: field.default for field in dataclasses.fields(arguments)}
    return bool(arguments.learning_rate == defaults["learning_rate"])


def one_rate(model: nn.Module, rate: float) -> dict[nn.Parameter, float]:
    """The same rate for everything that is trained."""
    return {parameter: rate for parameter in model.parameters() if parameter.requires_grad}


def own_rates(model: AdapterModel, otherwise: float) -> dict[nn.Parameter, float]:
    """Every adapter, fusion and route learns at the rate that its method is shipped with.

    A head learns as the adapter of its name does, or else at the lowest of the rates that there are. What
    several adapters share learns at the lowest of theirs; all else that is trained at `otherwise`.
    """
    owners = [owner for owner in owners_of(model) if owner.trained()]
    own = [(owner, rate) for owner in owners if (rate := owner.own_rate()) is not None]
    heads = [(owner, _rate_of_head(owner, own, otherwise)) for owner in owners if owner.config is None]
    found: dict[nn.Parameter, float] = {}
    for owner, rate in (*own, *heads):
        for parameter in owner.trained():
            found[parameter] = min(rate, found.get(parameter, rate))
    return one_rate(model, otherwise) | found


def tell_rates(model: AdapterModel, otherwise: float) -> str:
    """One sentence on what `own_rates` gives."""
    rates: dict[float, list[str]] = {}
    for owner in owners_of(model):
        rate = owner.own_rate()
        if owner.trained() and owner.config is not None and rate is not None:
            rates.setdefault(rate, []).append(f"{owner} ({owner.config.name()})")
    told = "; ".join(f"{rate:g} for {', '.join(names)}" for rate, names in rates.items())
    return (
        f"learning_rate was left at its default {otherwise:g}, so the methods' own rates are used: {told}. "
        "A learning_rate of your own, or own_rates=False, changes that."
    )


def _rate_of_head(head: Owner, own: list[tuple[Owner, float]], otherwise: float) -> float:
    of_adapter = [rate for owner, rate in own if (owner.kind, owner.name) == ("adapter", head.name)]
    return min(of_adapter or [rate for _, rate in own], default=otherwise)
