"""Labels: found in the training data, kept with the head, looked up in whatever is measured."""

from collections.abc import Iterable, Mapping, Sequence

from adapter_lib.tasks import cells
from adapter_lib.tasks.errors import DataError
from adapter_lib.tasks.reading import Row, Rows

MAX_LABELS = 10_000


def label_of(rows: Rows, row: Row, columns: Mapping[str, str]) -> str:
    """A row's label: the name beside the number if there is such a column. Raises DataError."""
    column = columns.get("label_name", columns["label"])
    value = cells.cell(rows, row, column)
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int) or (isinstance(value, float) and value.is_integer()):
        return str(int(value))
    label = cells.text(rows, row, column).strip()
    return str(int(label)) if _is_whole(label) else label


def names_in_order(rows: Rows, columns: Mapping[str, str]) -> tuple[str, ...]:
    """The labels of training data: in the order of their numbers if they have numbers, else of their names.

    Raises DataError for fewer than two, and for a number with two names.
    """
    if "label_name" in columns and _are_numbers(rows, columns["label"]):
        found = _numbered(rows, columns)
    else:
        found = sorted({label_of(rows, row, columns) for row in rows.rows}, key=_sorting)
    return checked(rows, columns["label"], found)


def checked(rows: Rows, column: str, found: Sequence[str]) -> tuple[str, ...]:
    """Labels that a head can have. Raises DataError for fewer than two or more than 10,000."""
    if len(found) < 2:
        raise DataError(
            f"{rows.source}: every row has the label {found[0]!r} in {column!r}: "
            "there is nothing to tell apart."
        )
    if len(found) > MAX_LABELS:
        raise DataError(
            f"{rows.source}: {column!r} holds {len(found)} different labels, more than {MAX_LABELS}: "
            "is it the column of the labels?"
        )
    return tuple(found)


def number_of(label: str, labels: Sequence[str], where: str) -> int:
    """A label's position among the head's; a whole number that is no name is a position itself.

    Raises DataError for what the head cannot answer.
    """
    if label in labels:
        return labels.index(label)
    if _is_whole(label) and int(label) < len(labels) and not any(_is_whole(name) for name in labels):
        return int(label)
    shown = ", ".join(labels[:10]) + (" …" if len(labels) > 10 else "")
    raise DataError(f"{where}: the label {label!r} is none of those that were learnt: {shown}.")


def tags_in_order(rows: Rows, column: str, found: Iterable[str]) -> tuple[str, ...]:
    """The tags of training data, `O` first. Raises DataError for fewer than two."""
    ordered = sorted(set(found), key=lambda tag: (tag != "O", _sorting(tag)))
    return checked(rows, column, ordered)


def _numbered(rows: Rows, columns: Mapping[str, str]) -> list[str]:
    names: dict[float, str] = {}
    for row in rows.rows:
        number, name = cells.number(rows, row, columns["label"]), label_of(rows, row, columns)
        if names.setdefault(number, name) != name:
            raise DataError(
                f"{rows.where(row)} calls the label {number:g} {name!r}, an earlier row calls it "
                f"{names[number]!r}."
            )
    return list(dict.fromkeys(names[number] for number in sorted(names)))


def _are_numbers(rows: Rows, column: str) -> bool:
    return all(_is_whole(str(row.values.get(column))) for row in rows.rows)


def _is_whole(label: str) -> bool:
    return label.isascii() and label.isdigit() and len(label) < 10


def _sorting(label: str) -> tuple[bool, int, str]:
    return (not _is_whole(label), int(label) if _is_whole(label) else 0, label)
