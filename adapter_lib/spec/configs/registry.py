"""The known configs: by method (what a file says) and by preset name (what a person says)."""

import dataclasses
import difflib
from collections.abc import Callable, Mapping
from typing import Any

from adapter_lib.spec.configs.base import MethodConfig
from adapter_lib.spec.errors import ConfigError, listing

_METHODS: dict[str, type[MethodConfig]] = {}
_PRESETS: dict[str, type[MethodConfig]] = {}
_READY: dict[str, Callable[[], MethodConfig]] = {}
_ALIASES: dict[str, str] = {}


def register_config(
    cls: type[MethodConfig],
    *,
    presets: Mapping[str, type[MethodConfig]],
    aliases: Mapping[str, str] | None = None,
) -> None:
    """Make a method's config known by method, presets and their aliases; a name taken twice raises."""
    taken = {*_PRESETS, *_READY, *_ALIASES} & {*presets, *(aliases or {})}
    if cls.method in _METHODS or taken:
        raise ConfigError(f"{cls.__name__}: {listing(taken or {cls.method})} is registered already.")
    _METHODS[cls.method] = cls
    _PRESETS.update(presets)
    _ALIASES.update(aliases or {})


def register_ready_config(name: str, make: Callable[[], MethodConfig]) -> None:
    """Make a config known that is ready as it is, such as the union `mam`; a name taken twice raises.

    make: called each time the config is asked for, so it may name methods that are registered later.
    """
    if name in {*_PRESETS, *_READY, *_ALIASES}:
        raise ConfigError(f"{name} is registered already.")
    _READY[name] = make


def known_methods() -> tuple[str, ...]:
    """The registered method names, as files say them."""
    return tuple(sorted(_METHODS))


def known_presets() -> tuple[str, ...]:
    """The names a config string may start with, aliases excluded."""
    return tuple(sorted({*_PRESETS, *_READY}))


def known_aliases() -> dict[str, str]:
    """Other names of presets, such as those that the `adapters` library uses."""
    return dict(sorted(_ALIASES.items()))


def preset_class(name: str) -> type[MethodConfig]:
    """The config class of a preset or alias. Raises ConfigError listing what exists."""
    full = _ALIASES.get(name, name)
    if full in _READY:
        return type(_READY[full]())
    found = _PRESETS.get(full)
    if found is None:
        names = ", ".join([*known_presets(), *(f"{alias} (= {of})" for alias, of in known_aliases().items())])
        raise ConfigError(f"There is no adapter config called {name!r}; known are: {names}.")
    return found


def preset_keys(name: str) -> tuple[str, ...]:
    """The keys that a preset or alias takes; one that is ready as it is takes only `leave_out`."""
    cls = preset_class(name)
    return ("leave_out",) if _ALIASES.get(name, name) in _READY else valid_keys(cls)


def preset_config(name: str, values: Mapping[str, Any]) -> MethodConfig:
    """The config of a preset or alias with some values changed. Raises ConfigError."""
    ready = _READY.get(_ALIASES.get(name, name))
    if ready is None:
        return build_config(preset_class(name), values)
    config = ready()
    for key in values:
        if key != "leave_out":
            raise ConfigError(f"{name} is ready as it is and takes only leave_out, not {key!r}.")
    return dataclasses.replace(config, **values)


def method_class(method: str) -> type[MethodConfig]:
    """The config class of a method. Raises ConfigError listing what exists."""
    found = _METHODS.get(method)
    if found is None:
        raise ConfigError(f"There is no adapter method called {method!r}; known are: {listing(_METHODS)}.")
    return found


def valid_keys(cls: type[MethodConfig]) -> tuple[str, ...]:
    """The names of a config's fields."""
    return tuple(field.name for field in dataclasses.fields(cls))


def build_config(cls: type[MethodConfig], values: Mapping[str, Any]) -> MethodConfig:
    """Make a config from plain values. Raises ConfigError for an unknown, missing or wrong one."""
    keys = valid_keys(cls)
    for key in values:
        if key in cls.not_taken:
            raise ConfigError(f"{cls.__name__} does not take {key}: {cls.not_taken[key]}")
        if key not in keys:
            raise ConfigError(
                f"{cls.__name__} has no key {key!r}{suggestion(key, keys)}; valid keys: {listing(keys)}."
            )
    missing = [f.name for f in dataclasses.fields(cls) if _is_required(f) and f.name not in values]
    if missing:
        raise ConfigError(f"{cls.__name__} needs a value for {listing(missing)}.")
    return cls(**values)


def config_from_dict(method: str, values: Mapping[str, Any]) -> MethodConfig:
    """The config that a file describes by its method and values. Raises ConfigError."""
    return build_config(method_class(method), values)


def config_to_dict(config: MethodConfig) -> dict[str, Any]:
    """Every field in JSON types; `config_from_dict(config.method, …)` gives an equal config back."""
    return config.values()


def _is_required(field: "dataclasses.Field[Any]") -> bool:
    return field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING


def suggestion(key: str, keys: tuple[str, ...]) -> str:
    """` (did you mean r?)` for a key that resembles one there is, else nothing."""
    close = difflib.get_close_matches(key, keys, n=1)
    return f" (did you mean {close[0]}?)" if close else ""
