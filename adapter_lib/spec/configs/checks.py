"""Checks and normalisation of config fields: a config that exists is valid, whatever it was made from.

Each function reads one field of a frozen dataclass, raises `ConfigError` naming the field and its allowed
values, and writes the normal form back (an `int` for a float field becomes a float, a list becomes a
tuple), so that equal configs have equal JSON and equal hashes.
"""

from typing import Any

from adapter_lib.spec.errors import ConfigError


def store(config: object, field: str, value: object) -> None:
    """Set a field of a frozen dataclass from its own `__post_init__`."""
    object.__setattr__(config, field, value)


def refuse(config: object, field: str, wanted: str) -> ConfigError:
    """The error for a field whose value is not `wanted`."""
    name = type(config).__name__
    return ConfigError(f"{name}: {field} must be {wanted}, not {getattr(config, field)!r}.")


def is_number(value: object) -> bool:
    """True for finite ints and floats; bools are not numbers here."""
    is_real = isinstance(value, int | float) and not isinstance(value, bool)
    return is_real and abs(float(value)) < float("inf")  # type: ignore[arg-type]


def check_whole(config: object, field: str, minimum: int) -> None:
    """An int of at least `minimum`."""
    value = getattr(config, field)
    if not isinstance(value, int) or isinstance(value, bool) or value < minimum:
        raise refuse(config, field, f"a whole number of at least {minimum}")


def check_positive(config: object, field: str) -> None:
    """A finite number above 0, stored as float."""
    value = getattr(config, field)
    if not is_number(value) or value <= 0:
        raise refuse(config, field, "a number above 0")
    store(config, field, float(value))


def check_not_negative(config: object, field: str) -> None:
    """A finite number of at least 0, stored as float."""
    value = getattr(config, field)
    if not is_number(value) or value < 0:
        raise refuse(config, field, "a number of at least 0")
    store(config, field, float(value))


def check_probability(config: object, field: str) -> None:
    """A number from 0 up to, not including, 1, stored as float."""
    value = getattr(config, field)
    if not is_number(value) or not 0 <= value < 1:
        raise refuse(config, field, "a number from 0 up to, but not including, 1")
    store(config, field, float(value))


def check_flags(config: object, *fields: str) -> None:
    """True or False, nothing that merely looks like it."""
    for field in fields:
        if not isinstance(getattr(config, field), bool):
            raise refuse(config, field, "true or false")


def check_gating(config: Any) -> None:
    """The fields that every config has for a gate."""
    check_flags(config, "use_gating", "gate_over_padding")
    if config.gate_over_padding and not config.use_gating:
        raise refuse(config, "gate_over_padding", "false without use_gating: there is no gate")


def check_choice(config: object, field: str, choices: tuple[Any, ...]) -> None:
    """One of `choices`, type included (`1` is not `True`)."""
    value = getattr(config, field)
    if not any(type(value) is type(choice) and value == choice for choice in choices):
        raise refuse(config, field, "one of " + ", ".join(repr(choice) for choice in choices))


def check_words(config: object, field: str, choices: tuple[str, ...]) -> None:
    """A list of some of `choices` (or one of them), stored as a tuple in their order."""
    value = getattr(config, field)
    given = (value,) if isinstance(value, str) else value
    if not isinstance(given, list | tuple) or not given or any(word not in choices for word in given):
        raise refuse(config, field, "a list of some of " + ", ".join(choices))
    store(config, field, tuple(choice for choice in choices if choice in given))


def check_layer_ids(config: object, field: str) -> None:
    """A list of different layer numbers from 0 up, stored as a sorted tuple."""
    value = getattr(config, field)
    is_list = isinstance(value, list | tuple)
    if not is_list or not all(isinstance(v, int) and not isinstance(v, bool) and v >= 0 for v in value):
        raise refuse(config, field, "a list of layer numbers from 0 up")
    if len(set(value)) != len(value):
        raise refuse(config, field, "a list of different layer numbers")
    store(config, field, tuple(sorted(value)))
