"""LoRA+ (Hayou et al. 2024, https://arxiv.org/abs/2402.12354): B learns faster than A."""

import math
from collections.abc import Iterator

from adapter_lib.methods import MTLLoRA
from adapter_lib.methods.low_rank import LowRankPart
from adapter_lib.model import AdapterModel
from adapter_lib.spec.errors import ConfigError
from adapter_lib.training.groups import Group, decaying, grouped
from adapter_lib.training.rates import Rates, one_rate

EMBEDDING_RATE = 1e-6


def lora_plus_groups(
    model: AdapterModel,
    lr: float,
    ratio: float = 16.0,
    *,
    embedding_lr: float = EMBEDDING_RATE,
    weight_decay: float = 0.0,
) -> list[Group]:
    """Parameter groups for an optimizer: all that is trained learns at lr, but every B at ratio · lr.

    Those of an adapter on an embedding learn at `embedding_lr`, A and B alike. weight_decay: of all but
    biases and norms, which do not decay.
    `torch.optim.AdamW(lora_plus_groups(model, 1e-4))`, or with the plain Trainer
    `optimizer_cls_and_kwargs=(torch.optim.AdamW, {"params": lora_plus_groups(model, 1e-4)})`.
    Raises ConfigError for a rate or a ratio that is not positive, and if no A and B is trained.
    """
    _check_positive("lr", lr)
    rates = lora_plus_rates(model, one_rate(model, lr), ratio, embedding_lr)
    return grouped(model, rates, weight_decay, decaying(model))


def lora_plus_rates(
    model: AdapterModel,
    rates: Rates,
    ratio: float,
    embedding_lr: float = EMBEDDING_RATE,
    *,
    is_for_both: bool = False,
) -> Rates:
    """The rates with those of every B made larger.

    is_for_both: the rates were chosen for A and B alike, as those that methods are shipped with. Then A
    learns at rate / √ratio and B at rate · √ratio. Raises ConfigError as `lora_plus_groups` does.
    """
    _check_positive("ratio", ratio)
    _check_positive("embedding_lr", embedding_lr)
    found = dict(rates)
    pairs = [part for part in _pairs(model) if part.lora_b in rates]
    if not pairs:
        raise ConfigError("LoRA+ is for adapters with A and B, such as lora and dora: none is trained.")
    slower = math.sqrt(ratio) if is_for_both else 1.0
    for part in pairs:
        rate = rates[part.lora_b] / slower
        is_embedding = part.place.kind == "embedding"
        found[part.lora_b] = embedding_lr if is_embedding else rate * ratio
        if part.lora_a in rates:
            found[part.lora_a] = embedding_lr if is_embedding else rate
    return found


def _pairs(model: AdapterModel) -> Iterator[LowRankPart | MTLLoRA]:
    injection = model.adapter_runtime.injection
    for name in injection.configs:
        for part in injection.members(name):
            if isinstance(part, LowRankPart | MTLLoRA):
                yield part


def _check_positive(name: str, value: float) -> None:
    if not (math.isfinite(value) and value > 0):
        raise ConfigError(f"LoRA+: {name} must be positive, not {value!r}.")
