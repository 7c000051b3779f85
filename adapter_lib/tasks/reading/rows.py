"""Rows of one split as they were read, and where each of them stands."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from adapter_lib.tasks.errors import DataError


@dataclass(frozen=True)
class Row:
    """One row: its values by column, and the number of its line (from 1)."""

    values: Mapping[str, Any]
    number: int


@dataclass(frozen=True)
class Rows:
    """A split. `source`: the file or data set; `unit`: what a row's number counts, `line` or `row`."""

    source: str
    unit: str
    columns: tuple[str, ...]
    rows: tuple[Row, ...]

    def where(self, row: Row) -> str:
        """`data/train.jsonl, line 7`."""
        return f"{self.source}, {self.unit} {row.number}"

    def head(self, count: int | None) -> "Rows":
        """The first `count` rows; None: all."""
        return self if count is None else Rows(self.source, self.unit, self.columns, self.rows[:count])


def collected(source: str, unit: str, rows: Iterable[Row]) -> Rows:
    """Rows with the columns that occur, in the order in which they first do. Raises DataError for none."""
    found = tuple(rows)
    if not found:
        raise DataError(f"{source} holds no rows: there is nothing to learn or to measure.")
    columns = dict.fromkeys(column for row in found for column in row.values)
    return Rows(source, unit, tuple(columns), found)
