"""JSON lines: one object per line."""

from collections.abc import Iterator
from pathlib import Path

from adapter_lib.spec import strict_json
from adapter_lib.spec.strict_json import StrictJsonError
from adapter_lib.tasks.errors import DataError
from adapter_lib.tasks.reading.lines import lines
from adapter_lib.tasks.reading.rows import Row, Rows, collected

_MAX_ITEMS = 1_000_000


def read_jsonl(path: Path, name: str) -> Rows:
    """The objects of a file, empty lines left out. Raises DataError with the line's number."""
    return collected(name, "line", _rows(path, name))


def _rows(path: Path, name: str) -> Iterator[Row]:
    for number, line in lines(path, name):
        if line.strip():
            yield Row(_object(line, name, number), number)


def _object(line: str, name: str, number: int) -> dict[str, object]:
    advice = 'write one object per line, such as {"text": "…", "label": "…"}'
    try:
        values = strict_json.loads(line, max_items=_MAX_ITEMS)
    except StrictJsonError as error:
        raise DataError(f"{name}, line {number} is not JSON ({error}): {advice}.") from None
    if not isinstance(values, dict):
        raise DataError(f"{name}, line {number} is JSON but no object: {advice}.")
    return values
