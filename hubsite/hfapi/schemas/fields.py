"""Typed reading of JSON bodies: each wrong value is one `BadInput` sentence that names it."""

import json
import re
from collections.abc import Mapping
from typing import Any, NoReturn

from hubsite.core.errors import BadInput
from hubsite.hfapi.text import is_storable

# The largest size that a database column of ours holds.
MAX_INTEGER = 2**63 - 1
_HEX = {length: re.compile(rf"\A[0-9a-f]{{{length}}}\Z") for length in (40, 64)}


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def parse_object(body: bytes | bytearray | str, what: str) -> "Fields":
    """The one JSON object that `body` holds.

    `what` names it in errors, e.g. "The body". Raises `BadInput`.
    """
    try:
        value = json.loads(body, parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        # ValueError: not JSON, not UTF-8, or a number of thousands of digits.
        raise BadInput(f"{what} is not valid JSON.") from None
    if not isinstance(value, dict):
        raise BadInput(f"{what} is not a JSON object.")
    return Fields(value, what)


class Fields:
    """The members of one JSON object, read by name and type."""

    def __init__(self, values: Mapping[str, Any], what: str) -> None:
        self._values = values
        self._what = what

    def __contains__(self, name: str) -> bool:
        return self._values.get(name) is not None

    def text(self, name: str, default: str | None = None, *, limit: int = 1000) -> str:
        """A string of at most `limit` characters; with a default it may be absent or null."""
        value = self._values.get(name)
        if value is None and default is not None:
            return default
        if not isinstance(value, str):
            raise self._wrong(name, "a string")
        if len(value) > limit:
            raise self._wrong(name, f"a string of at most {limit} characters")
        if not is_storable(value):
            raise self._wrong(name, "Unicode text without NUL characters")
        return value

    def integer(self, name: str, *, minimum: int = 0) -> int:
        """A whole number from `minimum` to 2⁶³ - 1."""
        value = self._values.get(name)
        if isinstance(value, bool) or not isinstance(value, int) or not minimum <= value <= MAX_INTEGER:
            raise self._wrong(name, f"a whole number from {minimum} to 2^63 - 1")
        return value

    def flag(self, name: str, *, default: bool) -> bool:
        """true or false; absent and null are the default."""
        value = self._values.get(name)
        if value is None:
            return default
        if not isinstance(value, bool):
            raise self._wrong(name, "true or false")
        return value

    def is_false(self, name: str) -> bool:
        """Whether the member is there and false."""
        return self._values.get(name) is False

    def digest(self, name: str, length: int) -> str:
        """A digest of `length` lower-case hexadecimal digits (40 or 64)."""
        value = self._values.get(name)
        if not isinstance(value, str) or not _HEX[length].match(value):
            raise self._wrong(name, f"{length} lower-case hexadecimal digits")
        return value

    def texts(self, name: str, *, limit: int = 100) -> list[str]:
        """A list of at most `limit` strings."""
        value = self._values.get(name)
        if (
            not isinstance(value, list)
            or len(value) > limit
            or not all(isinstance(item, str) for item in value)
        ):
            raise self._wrong(name, f"a list of at most {limit} strings")
        return value

    def object(self, name: str) -> "Fields":
        """A nested object."""
        value = self._values.get(name)
        if not isinstance(value, dict):
            raise self._wrong(name, "a JSON object")
        return Fields(value, f"{self._what}: {name}")

    def objects(self, name: str, *, limit: int) -> list["Fields"]:
        """A list of at most `limit` objects."""
        value = self._values.get(name)
        if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
            raise self._wrong(name, "a list of JSON objects")
        if len(value) > limit:
            raise self._wrong(name, f"a list of at most {limit} entries; send the rest in further requests")
        return [Fields(item, f"{self._what}: {name}[{index}]") for index, item in enumerate(value)]

    def _wrong(self, name: str, expected: str) -> BadInput:
        return BadInput(f"{self._what}: {name!r} must be {expected}.")
