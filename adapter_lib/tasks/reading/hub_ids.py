"""A data set of the `datasets` library, by its id; that package is imported here and nowhere else."""

import importlib
from typing import Any

from adapter_lib.tasks.errors import DataError
from adapter_lib.tasks.reading.rows import Row, Rows, collected


def split_names_of(name: str) -> tuple[str, ...]:
    """The splits of the data set `ID` or `ID:CONFIGURATION`. Raises DataError."""
    return tuple(str(split) for split in _asked("get_dataset_split_names", name))


def read_hub_id(name: str, split: str) -> Rows:
    """One split of the data set; numbers of classes become their names. Raises DataError."""
    found = _asked("load_dataset", name, split=split)
    return rows_of(found, f"{name} ({split})")


def rows_of(found: Any, source: str) -> Rows:
    """The rows of a `datasets.Dataset`."""
    names = {column: class_names(feature) for column, feature in found.features.items()}
    rows = (
        Row({key: _named(value, names[key]) for key, value in values.items()}, number)
        for number, values in enumerate(found, 1)
    )
    return collected(source, "row", rows)


def class_names(feature: Any) -> tuple[str, ...] | None:
    """The names of the classes whose numbers a column holds, one each or in lists; None if it holds none."""
    if isinstance(feature, list):
        return class_names(feature[0]) if len(feature) == 1 else None
    names = getattr(getattr(feature, "feature", feature), "names", None)
    return tuple(names) if isinstance(names, list | tuple) else None


def _named(value: Any, names: tuple[str, ...] | None) -> Any:
    if names is None or value is None:
        return value
    if isinstance(value, list):
        return [_named(item, names) for item in value]
    # Splits whose labels are kept secret have -1.
    return names[value] if isinstance(value, int) and 0 <= value < len(names) else None


def _asked(function: str, name: str, **options: Any) -> Any:
    datasets = _package(name)
    address, _, configuration = name.partition(":")
    # All that the package raises for what it cannot find, reach or read.
    failures: tuple[type[Exception], ...] = (
        OSError, ValueError, RuntimeError, TypeError, LookupError, datasets.exceptions.DatasetsError
    )  # fmt: skip
    try:
        return getattr(datasets, function)(address, configuration or None, **options)
    except failures as error:
        reason = " ".join(str(error).split()).rstrip(".") or type(error).__name__
        raise DataError(f"The data set {name} could not be loaded: {_short(reason)}.") from error


def _package(name: str) -> Any:
    try:
        return importlib.import_module("datasets")
    except ImportError:
        raise DataError(
            f"There is no file or folder {name!r}; to load it as a data set of the model hub, install "
            "adapter-lib[datasets]."
        ) from None


def _short(reason: str) -> str:
    return reason if len(reason) <= 300 else f"{reason[:300]}…"
