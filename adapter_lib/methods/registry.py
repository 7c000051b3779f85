"""The methods: a config, the part that computes it, and what a person wants to know about it."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from adapter_lib.engine import BlockPart, Part, Shared
from adapter_lib.spec.configs import MethodConfig, members_of
from adapter_lib.spec.errors import ConfigError, listing


@dataclass(frozen=True)
class Method:
    """One method.

    learning_rate: a good first try with AdamW, tried on a small encoder; rates: of presets that need another.
    paper: where the equations come from.
    part: what it puts at a place; shared: what all its places share; block: for the configs of composition
    blocks, which have no parts, the block's parameters at a place.
    is_product: the update of a weight is a product of parameters, whose mean is not the mean of the updates.
    no_mean: why the parameters of several adapters have no mean; empty where they have one.
    """

    name: str
    config: type[MethodConfig]
    presets: tuple[str, ...]
    summary: str
    paper: str
    learning_rate: float
    part: type[Part] = Part
    shared: type[Shared] | None = None
    block: type[BlockPart] = BlockPart
    rates: Mapping[str, float] = field(default_factory=dict)
    is_product: bool = False
    no_mean: str = ""


_METHODS: dict[str, Method] = {}


def register_method(method: Method) -> None:
    """Make a method known; a name that is taken raises ConfigError."""
    if method.name in _METHODS:
        raise ConfigError(f"The method {method.name!r} is registered already.")
    _METHODS[method.name] = method


def method_of(config: MethodConfig) -> Method:
    """The method of a config. Raises ConfigError listing what exists."""
    found = _METHODS.get(config.method)
    if found is None:
        raise ConfigError(
            f"There is no code for the method {config.method!r}; known are: {listing(_METHODS)}."
        )
    return found


def learning_rate_of(config: MethodConfig) -> float:
    """The rate that a config is shipped with; of a union the lowest of its members'."""
    methods = ((method_of(member), member.name()) for member in members_of(config))
    return min(method.rates.get(name, method.learning_rate) for method, name in methods)


def list_methods() -> tuple[Method, ...]:
    """All methods, by name."""
    return tuple(_METHODS[name] for name in sorted(_METHODS))
