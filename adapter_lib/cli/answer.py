"""What a command has to say: a JSON document for programs, tables and lines for people."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from adapter_lib.cli.exit_codes import DONE
from adapter_lib.spec.strict_json import finite

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Answer:
    """document: what `--json` prints; shown: lines, and tables as rows with the same keys."""

    document: Any
    shown: Sequence[str | Sequence[Row]] = field(default_factory=tuple)
    exit_code: int = DONE


def rows_answer(rows: Sequence[Row]) -> Answer:
    """The same rows for both."""
    return Answer(list(rows), [rows])


def show(answer: Answer, *, as_json: bool) -> None:
    """Print to stdout."""
    if as_json:
        print(json.dumps(finite(answer.document), ensure_ascii=False, indent=2))
        return
    console = Console(highlight=False, soft_wrap=True)
    for part in answer.shown:
        if isinstance(part, str):
            console.print(_printable(part), markup=False)
        else:
            Console().print(_table(part))


def _table(rows: Sequence[Row]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in rows[0] if rows else ():
        table.add_column(column.replace("_", " "), overflow="fold")
    for row in rows:
        table.add_row(*(Text(_printable(_text(value))) for value in row.values()))
    return table


def _printable(text: str) -> str:
    """Files and hubs are strangers: what they say must not steer a terminal."""
    return "".join(char if char.isprintable() else "\ufffd" for char in text)


def _text(value: object) -> str:
    if value is None:
        return "-"
    if isinstance(value, tuple | list):
        return ", ".join(str(item) for item in value)
    if isinstance(value, int) and not isinstance(value, bool):
        return f"{value:,}"
    return f"{value:g}" if isinstance(value, float) else str(value)
