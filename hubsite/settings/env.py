"""Typed readers for environment variables. Each fails with one sentence that names the variable."""

import os
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured

_TRUE = {"1", "true", "yes", "on"}
_FALSE = {"0", "false", "no", "off", ""}


def text(name: str, default: str = "") -> str:
    """The variable's value without surrounding blanks, or `default` when it is unset or empty."""
    return os.environ.get(name, "").strip() or default


def flag(name: str, *, default: bool) -> bool:
    """A switch: 1/true/yes/on or 0/false/no/off, in any case."""
    value = os.environ.get(name)
    if value is None:
        return default
    lowered = value.strip().lower()
    if lowered in _TRUE:
        return True
    if lowered in _FALSE:
        return False
    raise ImproperlyConfigured(f"{name} is {value!r}; write 1 or 0.")


def integer(name: str, default: int, *, minimum: int = 0) -> int:
    """A whole number of at least `minimum`."""
    value = text(name)
    if not value:
        return default
    try:
        number = int(value)
    except ValueError:
        raise ImproperlyConfigured(f"{name} is {value!r}; write a whole number.") from None
    if number < minimum:
        raise ImproperlyConfigured(f"{name} is {number}; it must be at least {minimum}.")
    return number


def names(name: str, default: tuple[str, ...] = ()) -> list[str]:
    """A comma-separated list; blanks around the commas do not matter."""
    value = text(name)
    return [part.strip() for part in value.split(",") if part.strip()] if value else list(default)


def folder(name: str, default: Path) -> Path:
    """An absolute folder path; `~` is expanded. The folder need not exist yet."""
    return Path(text(name, str(default))).expanduser().resolve()
