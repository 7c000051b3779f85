"""The settings in PEFT's `adapter_config.json`, read as untrusted data.

PEFT adds keys with every release and drops those that it does not know, so a missing key has its default.
"""

import re
from collections.abc import Mapping
from typing import Any

from adapter_lib.spec.configs.checks import is_number
from adapter_lib.spec.errors import LoadError
from adapter_lib.spec.strict_json import quoted

CONFIG_FILE = "adapter_config.json"
_LONGEST_PATTERN = 500
# A group that repeats, which can make matching take for ever.
_REPEATED_GROUP = re.compile(r"\)[*+{]")


class Settings:
    """Typed reading by key; every reader raises LoadError for a value of another type."""

    def __init__(self, values: Mapping[str, Any]) -> None:
        self.values = values

    @property
    def kind(self) -> str:
        """PEFT's name of the method, such as "LORA"."""
        return self.text("peft_type")

    def get(self, key: str) -> Any:
        """The value as it is, None if it is missing."""
        return self.values.get(key)

    def whole(self, key: str, default: int) -> int:
        """A whole number."""
        value = self._or(key, default)
        if type(value) is not int:
            raise self._wrong(key, "a whole number")
        return value

    def number(self, key: str, default: float) -> float:
        """A number."""
        value = self._or(key, default)
        if not is_number(value):
            raise self._wrong(key, "a number")
        return float(value)

    def flag(self, key: str, *, default: bool = False) -> bool:
        """True or false."""
        value = self._or(key, default)
        if not isinstance(value, bool):
            raise self._wrong(key, "true or false")
        return value

    def text(self, key: str, default: str = "") -> str:
        """A string."""
        value = self._or(key, default)
        if not isinstance(value, str):
            raise self._wrong(key, "text")
        return value

    def words(self, key: str) -> tuple[str, ...]:
        """A list of strings; nothing where it is missing. A single string is a list of one."""
        value = self._or(key, [])
        value = [value] if isinstance(value, str) else value
        if not isinstance(value, list) or not all(isinstance(word, str) for word in value):
            raise self._wrong(key, "a list of names")
        return tuple(value)

    def numbers(self, key: str) -> tuple[int, ...]:
        """A list of whole numbers from 0 up; nothing where it is missing. A number is a list of one."""
        return self._numbers(key, self._or(key, []))

    def numbers_by_name(self, key: str) -> dict[str, tuple[int, ...]]:
        """An object of such lists."""
        value = self._or(key, {})
        if not isinstance(value, Mapping):
            raise self._wrong(key, "an object")
        return {name: self._numbers(f"{key}.{name}", held) for name, held in value.items()}

    def by_pattern(self, patterns: str, path: str, default: float) -> float:
        """What `rank_pattern` or `alpha_pattern` says of a module: keys are ends of paths, or expressions."""
        given = self._or(patterns, {})
        if not isinstance(given, Mapping):
            raise self._wrong(patterns, "an object")
        for key, value in given.items():
            if matches_end(key, path):
                if not is_number(value):
                    raise self._wrong(f"{patterns}.{key}", "a number")
                return float(value)
        return default

    def _or(self, key: str, default: Any) -> Any:
        value = self.values.get(key)
        return default if value is None else value

    def _numbers(self, key: str, value: Any) -> tuple[int, ...]:
        value = [value] if type(value) is int else value
        if not isinstance(value, list) or not all(type(number) is int and number >= 0 for number in value):
            raise self._wrong(key, "a list of whole numbers from 0 up")
        return tuple(value)

    def _wrong(self, key: str, expected: str) -> LoadError:
        return LoadError(
            f"{CONFIG_FILE}: {quoted(key)} must be {expected}, not {quoted(repr(self.values.get(key)))}."
        )


def matches_end(pattern: str, path: str) -> bool:
    """True if a module's path, or its end, matches an expression. Raises LoadError for a bad one."""
    return _compiled(rf"(.*\.)?({pattern})$", pattern).match(path) is not None


def matches_whole(pattern: str, path: str) -> bool:
    """True if a module's whole path matches. Raises LoadError for a bad expression."""
    return _compiled(pattern, pattern).fullmatch(path) is not None


def _compiled(expression: str, given: str) -> re.Pattern[str]:
    if len(given) > _LONGEST_PATTERN or _REPEATED_GROUP.search(given):
        raise LoadError(
            f"{CONFIG_FILE}: the expression {quoted(given)} is longer than {_LONGEST_PATTERN} characters or "
            "repeats a group; such expressions can take for ever, so they are not followed."
        )
    try:
        return re.compile(expression)
    except re.error as error:
        raise LoadError(f"{CONFIG_FILE}: {quoted(given)} is no regular expression: {error}.") from None
