"""What a training was, kept beside its adapter so that it can be measured and published later."""

import json
import math
import tempfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from adapter_lib.spec.errors import LoadError
from adapter_lib.spec.fields import FieldError, Fields
from adapter_lib.spec.strict_json import StrictJsonError, finite, loads
from adapter_lib.tasks.metrics.measure import Score
from adapter_lib.version import __version__

RECORD_FILE = "training_record.json"
_MOST_BYTES = 1024**2
_MAX_ITEMS = 50_000
_MAX_LENGTH = 10_000_000


@dataclass(frozen=True)
class TrainingRecord:
    """backbone: what it was loaded from. source: the data. rest: whatever else is worth keeping."""

    task: str
    backbone: str
    method: str
    source: str
    max_length: int
    scores: tuple[Score, ...]
    rest: Mapping[str, Any]

    def to_dict(self) -> dict[str, Any]:
        """The JSON object of the file."""
        return {
            "task": self.task,
            "backbone": self.backbone,
            "method": self.method,
            "source": self.source,
            "max_length": self.max_length,
            "scores": [asdict(score) for score in self.scores if math.isfinite(score.value)],
            **self.rest,
            "library_version": __version__,
        }


def write_record(folder: Path, record: TrainingRecord) -> None:
    """Write the file, whole or not at all. Raises LoadError."""
    try:
        with tempfile.TemporaryDirectory(prefix=".saving-", dir=folder) as workshop:
            new = Path(workshop) / RECORD_FILE
            new.write_text(
                json.dumps(finite(record.to_dict()), indent=2, ensure_ascii=False) + "\n", encoding="utf-8"
            )
            new.replace(folder / RECORD_FILE)
    except OSError as error:
        raise LoadError(f"{folder / RECORD_FILE} could not be written: {error.strerror}.") from error


def read_record(folder: Path) -> TrainingRecord | None:
    """The record of a folder, if it has one. Raises LoadError for a broken one."""
    path = folder / RECORD_FILE
    try:
        with path.open("rb") as stream:
            values = loads(stream.read(_MOST_BYTES), max_items=_MAX_ITEMS)
        return _read(Fields(values if isinstance(values, dict) else {}))
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, StrictJsonError, FieldError) as error:
        raise LoadError(f"{path} cannot be used ({error}): remove or mend it.") from None


def _read(fields: Fields) -> TrainingRecord:
    return TrainingRecord(
        task=fields.text("task"),
        backbone=fields.text("backbone"),
        method=fields.prose("method"),
        source=fields.prose("source"),
        max_length=fields.integer("max_length", 1, _MAX_LENGTH),
        scores=tuple(_score(item) for item in fields.items("scores")),
        rest={},
    )


def _score(fields: Fields) -> Score:
    return Score(fields.text("name"), fields.number("value", -1e300, 1e300))
