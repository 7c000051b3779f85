"""Files of comma- or tab-separated values with a header."""

import csv
from collections.abc import Iterator, Sequence
from pathlib import Path

from adapter_lib.tasks.errors import DataError
from adapter_lib.tasks.reading.lines import lines
from adapter_lib.tasks.reading.rows import Row, Rows, collected


def read_csv(path: Path, name: str) -> Rows:
    """The rows below the header; every value is text. Raises DataError with the line's number."""
    return collected(name, "line", _rows(path, name, "\t" if path.suffix == ".tsv" else ","))


def _rows(path: Path, name: str, delimiter: str) -> Iterator[Row]:
    reader = csv.reader((line for _, line in lines(path, name)), delimiter=delimiter, strict=True)
    header: Sequence[str] | None = None
    try:
        for cells in reader:
            if header is None:
                header = _header(cells, name)
            elif cells:
                yield Row(_values(header, cells, name, reader.line_num), reader.line_num)
    except csv.Error as error:
        raise DataError(f"{name}, line {reader.line_num} cannot be read: {error}.") from None


def _header(cells: Sequence[str], name: str) -> Sequence[str]:
    names = [cell.strip() for cell in cells]
    if len(set(names)) < len(names) or not all(names):
        raise DataError(f"{name}, line 1 must name each column once; it has {', '.join(names) or 'nothing'}.")
    return names


def _values(header: Sequence[str], cells: Sequence[str], name: str, number: int) -> dict[str, str]:
    if len(cells) != len(header):
        raise DataError(
            f"{name}, line {number} has {len(cells)} values, but the header names {len(header)} columns: "
            "put a value that contains the separator in double quotes."
        )
    return dict(zip(header, cells, strict=True))
