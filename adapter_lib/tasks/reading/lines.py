"""The lines of a text file, one after the other."""

from collections.abc import Iterator
from pathlib import Path

from adapter_lib.tasks.errors import DataError


def lines(path: Path, name: str) -> Iterator[tuple[int, str]]:
    """(number from 1, line with its end) of a UTF-8 file, a byte-order mark left out. Raises DataError."""
    try:
        with path.open("rb") as stream:
            for number, line in enumerate(stream, 1):
                yield number, _decoded(line, name, number)
    except OSError as error:
        raise DataError(f"{name} cannot be read: {error.strerror}.") from error


def _decoded(line: bytes, name: str, number: int) -> str:
    try:
        return line.decode("utf-8-sig" if number == 1 else "utf-8")
    except UnicodeDecodeError as error:
        raise DataError(
            f"{name}, line {number} is not UTF-8 text (byte {error.start + 1} of the line): save the file "
            "as UTF-8."
        ) from None
