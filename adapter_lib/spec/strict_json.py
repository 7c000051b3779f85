"""JSON from strangers: no duplicate keys, no NaN, bounded structure, and one error type."""

import json
import math
import re
from typing import Any

# A JSON string, perhaps unterminated; possessive, so that hostile input costs neither much time nor stack.
_STRING = re.compile(r'"[^"\\]*+(?:\\.[^"\\]*+)*+"?', re.DOTALL)
_MAX_DIGITS = 100
_STRUCTURE = re.compile(r"[\[{,]")


class StrictJsonError(ValueError):
    """Why a text is not acceptable JSON, to follow `… is not valid JSON: `."""


class DuplicateKeyError(StrictJsonError):
    """An object has a key twice."""


class TooManyItemsError(StrictJsonError):
    """More values than the caller allows."""


def loads(data: bytes | str, *, max_items: int) -> Any:
    """Parse `data` (UTF-8 if bytes) with at most `max_items` objects, arrays and members in total.

    Objects of a few bytes of text cost a hundred bytes of memory each, so they are counted before they are
    made. Raises StrictJsonError, and nothing else, for whatever is not strict JSON.
    """
    try:
        text = data if isinstance(data, str) else data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise StrictJsonError(f"it is not UTF-8 text (byte {error.start})") from None
    items = sum(1 for _ in _STRUCTURE.finditer(_STRING.sub('""', text)))
    if items > max_items:
        raise TooManyItemsError(f"it holds more than {max_items} values")
    try:
        return json.loads(
            text, object_pairs_hook=_unique, parse_constant=_no_constant, parse_int=_bounded_int
        )
    except StrictJsonError:
        raise
    except RecursionError:
        raise StrictJsonError("it is nested too deeply") from None
    except ValueError as error:
        raise StrictJsonError(str(error)) from None


def quoted(text: str, limit: int = 80) -> str:
    """`text` as it may stand in a message: printable ASCII in quotes, cut after `limit` characters."""
    return ascii(text if len(text) <= limit else text[: limit - 1] + "…")


def finite(value: Any) -> Any:
    """A value that JSON can hold: NaN and infinite numbers in it become null."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {key: finite(item) for key, item in value.items()}
    return [finite(item) for item in value] if isinstance(value, list | tuple) else value


def is_clean(text: str) -> bool:
    """Whether databases and terminals can take `text`: no NUL, no lone surrogate."""
    return "\x00" not in text and not any("\ud800" <= char <= "\udfff" for char in text)


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        seen: set[str] = set()
        for key, _ in pairs:
            if key in seen:
                raise DuplicateKeyError(f"it has the key {quoted(key)} twice")
            seen.add(key)
    return found


def _bounded_int(digits: str) -> int:
    # Beyond this an int cannot even become a float.
    if len(digits) > _MAX_DIGITS:
        raise StrictJsonError(f"it contains a number of {len(digits)} digits")
    return int(digits)


def _no_constant(name: str) -> Any:
    raise StrictJsonError(f"it contains {name}, which is not a JSON number")
