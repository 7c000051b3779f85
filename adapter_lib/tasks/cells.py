"""Typed reading of one cell; whatever is not what its column should hold is named with its line."""

import math
from typing import Any

from adapter_lib.spec.strict_json import quoted
from adapter_lib.tasks.errors import DataError
from adapter_lib.tasks.reading import Row, Rows


def cell(rows: Rows, row: Row, column: str) -> Any:
    """What stands there. Raises DataError for nothing."""
    value = row.values.get(column)
    if value is None:
        raise DataError(f"{rows.where(row)} has no {column!r}: every row needs one.")
    return value


def text(rows: Rows, row: Row, column: str) -> str:
    """A text with something in it. Raises DataError."""
    value = cell(rows, row, column)
    if not isinstance(value, str):
        raise _wrong(rows, row, column, "text")
    if not value.strip():
        raise DataError(f"{rows.where(row)} has an empty {column!r}: fill it or leave the row out.")
    return value


def number(rows: Rows, row: Row, column: str) -> float:
    """A finite number, in a CSV file as text. Raises DataError."""
    value = cell(rows, row, column)
    try:
        found = math.nan if isinstance(value, bool) else float(value)
    except (TypeError, ValueError, OverflowError):
        found = math.nan
    if not math.isfinite(found):
        raise _wrong(rows, row, column, "a number")
    return found


def words(rows: Rows, row: Row, column: str) -> tuple[str, ...]:
    """Words or tags: a list, or text with spaces between them. Raises DataError."""
    value = cell(rows, row, column)
    found = value.split() if isinstance(value, str) else value
    if not isinstance(found, list) or not found:
        raise _wrong(rows, row, column, "a list of words")
    if not all(isinstance(item, str | int) and not isinstance(item, bool) for item in found):
        raise _wrong(rows, row, column, "a list of words")
    return tuple(str(item) for item in found)


def _wrong(rows: Rows, row: Row, column: str, wanted: str) -> DataError:
    return DataError(
        f"{rows.where(row)}: {column!r} must be {wanted}, not {quoted(str(row.values[column]))}."
    )
