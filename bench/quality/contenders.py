"""What is compared: every registered preset, the complex ones, and what they are held against."""

from collections import Counter
from dataclasses import dataclass

from adapter_lib import TrainableTokensConfig, list_methods, parse_config
from adapter_lib.methods import learning_rate_of
from adapter_lib.spec.configs import MethodConfig

# Full fine-tuning, and the frozen backbone with a trained head.
FULL, HEAD = "full fine-tuning", "head alone"
# A logistic regression on the frozen backbone's mean-pooled features.
PROBE = "linear probe"
# Composition blocks have no parts of their own to train here.
_BLOCKS = ("fusion", "route")
_COMPLEX = ("mam", "unipelt")
_BASELINE_RATES = {FULL: 5e-5, HEAD: 1e-2, PROBE: 0.0}
# How many of the commonest tokens `trainable_tokens` trains.
_TOKENS = 1000


@dataclass(frozen=True)
class Contender:
    """One line of the table; `config` is empty for what is no adapter."""

    name: str
    config: str
    learning_rate: float


def contenders() -> tuple[Contender, ...]:
    """Baselines first, then every preset, each at the rate that it is shipped with."""
    baselines = [Contender(name, "", rate) for name, rate in _BASELINE_RATES.items()]
    presets = [
        Contender(preset, preset, method.rates.get(preset, method.learning_rate))
        for method in list_methods()
        if method.name not in _BLOCKS
        for preset in method.presets
    ]
    unions = [Contender(name, name, learning_rate_of(parse_config(name))) for name in _COMPLEX]
    return (*baselines, *presets, *unions)


def config_for(contender: Contender, token_ids: list[list[int]]) -> MethodConfig:
    """The config; `token_ids`: of the training set, for a method that asks which tokens to train."""
    if contender.config != "trainable_tokens":
        return parse_config(contender.config)
    counts = Counter(token for row in token_ids for token in row)
    return TrainableTokensConfig(token_indices=tuple(sorted(t for t, _ in counts.most_common(_TOKENS))))
