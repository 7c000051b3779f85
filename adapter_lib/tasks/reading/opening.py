"""From what a user calls their data (a file, a folder, a data set's id) to the rows of a split."""

import re
from collections.abc import Callable, Mapping
from functools import cached_property
from pathlib import Path

from adapter_lib.tasks.errors import DataError
from adapter_lib.tasks.reading import hub_ids
from adapter_lib.tasks.reading.csv_files import read_csv
from adapter_lib.tasks.reading.jsonl import read_jsonl
from adapter_lib.tasks.reading.rows import Rows

TRAIN, VALIDATION, TEST = "train", "validation", "test"
# What files and data sets call their splits.
_SPLIT_NAMES: Mapping[str, tuple[str, ...]] = {
    TRAIN: ("train", "training"),
    VALIDATION: ("validation", "valid", "val", "dev", "eval"),
    TEST: ("test", "testing"),
}
_READERS: Mapping[str, Callable[[Path, str], Rows]] = {
    ".jsonl": read_jsonl,
    ".ndjson": read_jsonl,
    ".json": read_jsonl,
    ".csv": read_csv,
    ".tsv": read_csv,
}
_DATASET_ID = re.compile(r"[A-Za-z0-9][\w.-]*(/[A-Za-z0-9][\w.-]*)?(:[\w.-]+)?")


class Data:
    """A user's data, of which a split is read when it is asked for."""

    def __init__(self, source: str) -> None:
        """source: a file, a folder of `train`, `validation` and `test` files, or `ID[:CONFIGURATION]`.

        Raises DataError if it is none of these.
        """
        self.source = source
        self._path = Path(source).expanduser()
        self._is_local = bool(source) and self._path.exists()
        if not self._is_local and (_looks_like_a_path(source) or not _DATASET_ID.fullmatch(source)):
            raise DataError(f"There is no file or folder {source!r}: give JSON lines, CSV or TSV.")

    def training(self) -> Rows:
        """What to learn from: the whole file, else the split `train`. Raises DataError."""
        return self._first_of(TRAIN)

    def held_out(self) -> Rows | None:
        """What to measure on after training: `validation`, else `test`; None if there is neither."""
        if self._path.is_file():
            return None
        return self._found(VALIDATION) or self._found(TEST)

    def asked(self, split: str | None = None) -> Rows:
        """What to measure on: the split of that name; without one the file, else `test`, else `validation`.

        Raises DataError.
        """
        return self._first_of(*((TEST, VALIDATION) if split is None else (split,)))

    def _first_of(self, *splits: str) -> Rows:
        if self._path.is_file():
            return read_file(self._path, self.source)
        found = next((rows for split in splits if (rows := self._found(split)) is not None), None)
        if found is None:
            have = ", ".join(self._splits) or "no file of JSON lines, CSV or TSV"
            raise DataError(f"{self.source} has no split {' or '.join(splits)}; it has {have}.")
        return found

    def _found(self, split: str) -> Rows | None:
        have = self._splits
        name = next((name for name in _SPLIT_NAMES.get(split, (split,)) if name in have), None)
        if name is None:
            return None
        if not self._is_local:
            return hub_ids.read_hub_id(self.source, name)
        return read_file(have[name], f"{self.source.rstrip('/')}/{have[name].name}")

    @cached_property
    def _splits(self) -> dict[str, Path]:
        if not self._is_local:
            return dict.fromkeys(hub_ids.split_names_of(self.source), self._path)
        files = (path for path in sorted(self._path.iterdir()) if path.suffix in _READERS and path.is_file())
        return {path.stem: path for path in files}


def read_file(path: Path, name: str) -> Rows:
    """The rows of a file, by the ending of its name. Raises DataError."""
    reader = _READERS.get(path.suffix.lower())
    if reader is None:
        raise DataError(f"{name} is no file of data: its name must end in {', '.join(_READERS)}.")
    return reader(path, name)


def _looks_like_a_path(source: str) -> bool:
    return source.startswith((".", "/", "~", "\\")) or Path(source).suffix.lower() in _READERS
