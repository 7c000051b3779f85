"""How much each adapter counts."""

import math
from collections.abc import Mapping, Sequence

from adapter_lib.spec.errors import ConfigError, listing

Weights = Sequence[float] | Mapping[str, float]


def checked(names: Sequence[str], given: Weights | None, *, normalise: bool) -> list[float]:
    """One weight per name, in their order; by default 1 each. normalise: divide them by their sum.

    Raises ConfigError for no or repeated names, a wrong number of weights, one that is no finite number, or
    a sum of zero that was to be normalised.
    """
    if isinstance(names, str) or not names or len(set(names)) < len(names):
        raise ConfigError(f"Name the adapters in a list, each once, not {names!r}.")
    weights = _in_order(names, given)
    if not all(_is_number(weight) for weight in weights):
        raise ConfigError(f"weights must be finite numbers, not {given!r}.")
    total = math.fsum(weights)
    if not normalise:
        return [float(weight) for weight in weights]
    if abs(total) < 1e-12:
        raise ConfigError(f"The weights {list(weights)} add up to zero: set normalise=False.")
    return [weight / total for weight in weights]


def _in_order(names: Sequence[str], given: Weights | None) -> Sequence[float]:
    if given is None:
        return [1.0] * len(names)
    if isinstance(given, Mapping):
        if set(given) != set(names):
            raise ConfigError(f"weights are of {listing(map(str, given))}, the adapters {listing(names)}.")
        return [given[name] for name in names]
    if len(given) != len(names):
        raise ConfigError(f"weights must be {len(names)} numbers, one per adapter, not {given!r}.")
    return given


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
