"""The methods: a config, the part that computes it, and what a person wants to know about it."""

from dataclasses import dataclass

from adapter_lib.engine import BlockPart, Part, Shared
from adapter_lib.spec.configs import MethodConfig
from adapter_lib.spec.errors import ConfigError, listing


@dataclass(frozen=True)
class Method:
    """One method.

    learning_rate: a good first try with AdamW. paper: where the equations come from.
    part: what it puts at a place; shared: what all its places share; block: for the configs of composition
    blocks, which have no parts, the block's parameters at a place.
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


def list_methods() -> tuple[Method, ...]:
    """All methods, by name."""
    return tuple(_METHODS[name] for name in sorted(_METHODS))
