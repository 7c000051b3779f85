"""Which column of somebody's data plays which part in a task."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from adapter_lib.spec.errors import listing
from adapter_lib.tasks.errors import DataError
from adapter_lib.tasks.reading import Rows


@dataclass(frozen=True)
class Part:
    """A part that a column plays, such as `text`. usual: what such columns are called, likeliest first."""

    name: str
    usual: tuple[str, ...]
    is_optional: bool = False


Columns = Mapping[str, str]


def find_columns(rows: Rows, parts: Sequence[Part], given: Columns | None = None) -> dict[str, str]:
    """The column of each part; an optional part without one is left out.

    given: columns named by the user. Raises DataError for a part or column that does not exist, and for a
    part whose column cannot be told.
    """
    given = given or {}
    unknown = sorted(given.keys() - {part.name for part in parts})
    if unknown:
        raise DataError(f"The task has no {unknown[0]!r}; it has {listing(part.name for part in parts)}.")
    found = {part.name: _column(rows, part, given.get(part.name)) for part in parts}
    return {name: column for name, column in found.items() if column is not None}


def _column(rows: Rows, part: Part, given: str | None) -> str | None:
    if given is not None:
        if given not in rows.columns:
            raise DataError(f"{rows.source} has no column {given!r}; it has {_names(rows)}.")
        return given
    by_lower = {column.lower(): column for column in reversed(rows.columns)}
    found = next((by_lower[name] for name in part.usual if name in by_lower), None)
    if found is None and not part.is_optional:
        raise DataError(
            f"{rows.source} has no column called {' or '.join(part.usual)}: its columns are {_names(rows)}; "
            f"say which one is the {part.name} with --column {part.name}=NAME."
        )
    return found


def _names(rows: Rows) -> str:
    return ", ".join(rows.columns)
