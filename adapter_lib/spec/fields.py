"""Typed reading of the members of a JSON object that a stranger wrote."""

import math
from collections.abc import Mapping, Sequence
from typing import Any, Literal

from adapter_lib.spec.strict_json import quoted

MAX_TEXT = 500


class FieldError(ValueError):
    """A member that is missing, unknown or of a wrong value; the message is one sentence that names it."""

    def __init__(self, kind: Literal["missing_key", "unknown_key", "bad_value"], message: str) -> None:
        super().__init__(message)
        self.kind = kind


class Fields:
    """Reads each member of an object once, by name; `done` refuses whatever was not read.

    Every reader raises FieldError if the member is missing or is not what the reader's name says.
    """

    def __init__(self, values: Mapping[str, Any], parent: str = "") -> None:
        self._values = values
        self._parent = parent
        self._read: set[str] = set()

    def __contains__(self, key: str) -> bool:
        return key in self._values

    def path(self, key: str) -> str:
        """The member's name from the root on, such as `head.labels`."""
        return f"{self._parent}{key}"

    def done(self) -> None:
        """Refuse members that no reader asked for."""
        unknown = [key for key in self._values if key not in self._read]
        if unknown:
            known = ", ".join(sorted(self._read))
            raise FieldError(
                "unknown_key",
                f"{self.path('')}{quoted(str(unknown[0]))} is not a known key; known are {known}.",
            )

    def literal(self, key: str, expected: str | int) -> None:
        """The one value that is allowed."""
        value = self._take(key)
        if type(value) is not type(expected) or value != expected:
            raise self._wrong(key, repr(expected))

    def text(self, key: str, *, allow_empty: bool = False) -> str:
        """A printable string of at most 500 characters."""
        value = self._take(key)
        if not _is_text(value) or not (value or allow_empty):
            raise self._wrong(key, f"a printable string of at most {MAX_TEXT} characters")
        return str(value)

    def text_or_none(self, key: str) -> str | None:
        """A string, or null."""
        return None if self._values.get(key, "") is None and self._mark(key) else self.text(key)

    def texts(self, key: str, least: int, most: int) -> tuple[str, ...]:
        """A list of `least` to `most` non-empty printable strings."""
        value = self._take(key)
        if not isinstance(value, list) or not least <= len(value) <= most:
            raise self._wrong(key, f"a list of {least} to {most} strings")
        if not all(_is_text(item) and item for item in value):
            raise self._wrong(key, f"a list of printable strings of at most {MAX_TEXT} characters")
        return tuple(value)

    def integer_or_none(self, key: str, least: int, most: int) -> int | None:
        """A whole number in the range, or null."""
        is_null = self._values.get(key, "") is None and self._mark(key)
        return None if is_null else self.integer(key, least, most)

    def integers(self, key: str, most_items: int, least: int, most: int) -> tuple[int, ...]:
        """A list of at most `most_items` whole numbers in the range."""
        value = self._take(key)
        is_fine = isinstance(value, list) and len(value) <= most_items
        if not is_fine or not all(type(item) is int and least <= item <= most for item in value):
            raise self._wrong(key, f"a list of at most {most_items} whole numbers from {least} to {most}")
        return tuple(value)

    def prose(self, key: str) -> str:
        """Text for people, of any length; line breaks and other unprintable characters become blanks."""
        value = self._take(key)
        if not isinstance(value, str):
            raise self._wrong(key, "text")
        return " ".join("".join(char if char.isprintable() else " " for char in value).split())

    def flag(self, key: str) -> bool:
        """True or false."""
        value = self._take(key)
        if not isinstance(value, bool):
            raise self._wrong(key, "true or false")
        return value

    def items(self, key: str) -> "list[Fields]":
        """A list of objects, each to be read in its turn."""
        value = self._take(key)
        if not isinstance(value, list) or not all(isinstance(item, Mapping) for item in value):
            raise self._wrong(key, "a list of objects")
        return [Fields(item, f"{self.path(key)}[{index}].") for index, item in enumerate(value)]

    def choice(self, key: str, choices: Sequence[str]) -> str:
        """One of `choices`."""
        value = self._take(key)
        if not isinstance(value, str) or value not in choices:
            raise self._wrong(key, f"one of {', '.join(choices)}")
        return value

    def integer(self, key: str, least: int, most: int) -> int:
        """A whole number in the range; `true` is none."""
        value = self._take(key)
        if type(value) is not int or not least <= value <= most:
            raise self._wrong(key, f"a whole number from {least} to {most}")
        return value

    def number(self, key: str, least: float, most: float) -> float:
        """A finite number in the range."""
        value = self._take(key)
        if type(value) not in (int, float) or not least <= value <= most or not math.isfinite(value):
            raise self._wrong(key, f"a number from {least} to {most}")
        return float(value)

    def number_or_none(self, key: str, least: float, most: float) -> float | None:
        """A finite number in the range, or null."""
        is_null = self._values.get(key, "") is None and self._mark(key)
        return None if is_null else self.number(key, least, most)

    def mapping(self, key: str) -> Mapping[str, Any]:
        """An object, as it is."""
        value = self._take(key)
        if not isinstance(value, Mapping):
            raise self._wrong(key, "an object")
        return value

    def plain_mapping(self, key: str, depth: int = 1, items: int = 10_000) -> Mapping[str, Any]:
        """An object of strings, numbers, booleans, null, and lists and objects of these.

        depth: how deep lists and objects may be nested in it. items: how many values it may hold in all.
        """
        value = self.mapping(key)
        if not _is_plain(value, depth):
            levels = f" nested at most {depth} deep" if depth > 1 else ""
            raise self._wrong(key, f"an object of plain values and of lists or objects of these{levels}")
        if _count(value) > items:
            raise self._wrong(key, f"an object of at most {items} values in all")
        return value

    def nested(self, key: str) -> "Fields":
        """An object, to be read in its turn."""
        return Fields(self.mapping(key), f"{self.path(key)}.")

    def nested_or_none(self, key: str) -> "Fields | None":
        """An object, or null."""
        return None if self._values.get(key, "") is None and self._mark(key) else self.nested(key)

    def _mark(self, key: str) -> bool:
        self._read.add(key)
        return True

    def _take(self, key: str) -> Any:
        if key not in self._values:
            raise FieldError("missing_key", f"{self.path(key)} is missing.")
        self._mark(key)
        return self._values[key]

    def _wrong(self, key: str, expected: str) -> FieldError:
        return FieldError("bad_value", f"{self.path(key)} must be {expected}.")


def _is_plain(value: Any, depth: int) -> bool:
    """True if value, a container or a single value, nests at most `depth` containers in itself."""
    if not isinstance(value, list | Mapping):
        return value is None or isinstance(value, str | int | float)
    return depth >= 0 and all(_is_plain(item, depth - 1) for item in _items(value))


def _count(value: Any) -> int:
    return 1 + sum(map(_count, _items(value))) if isinstance(value, list | Mapping) else 1


def _items(value: "list[Any] | Mapping[str, Any]") -> list[Any]:
    return value if isinstance(value, list) else list(value.values())


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and len(value) <= MAX_TEXT and value.isprintable()
