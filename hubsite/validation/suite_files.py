"""The files of a suite: `suite.yaml` and one JSONL file per split, read strictly.

A row is `{"text": "…", "label": "negative"}` with the field names that suite.yaml gives.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_type_hints

import yaml

from hubsite.core.errors import BadInput

DESCRIPTION_FILE = "suite.yaml"
SPLITS = ("train", "validation", "test")
PROTOCOLS = ("text-classification",)
METRICS = ("accuracy",)
_MAX_DESCRIPTION = 64 * 1024
_MAX_ROWS = 200_000


@dataclass(frozen=True)
class SuiteDescription:
    """What suite.yaml says."""

    slug: str
    version: int
    task: str
    protocol: str
    metric: str
    labels: list[str]
    text_field: str
    label_field: str
    title: str
    license: str
    description: str


@dataclass(frozen=True)
class Row:
    """One example; `label` is an index into the suite's labels."""

    text: str
    label: int


def read_description(folder: Path) -> SuiteDescription:
    """Parse suite.yaml. Raises BadInput with what is wrong."""
    path = folder / DESCRIPTION_FILE
    try:
        if path.stat().st_size > _MAX_DESCRIPTION:
            raise BadInput(f"{DESCRIPTION_FILE} is longer than {_MAX_DESCRIPTION} bytes.")
        values = yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise BadInput(f"{folder} has no {DESCRIPTION_FILE}, so it is not a suite.") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise BadInput(f"{DESCRIPTION_FILE} is not valid YAML: {error}") from None
    if not isinstance(values, dict):
        raise BadInput(f"{DESCRIPTION_FILE} must hold keys and values.")
    return _checked(values)


def read_split(folder: Path, split: str, description: SuiteDescription) -> list[Row]:
    """The rows of one split, in file order. Raises BadInput that names file and line."""
    path = folder / f"{split}.jsonl"
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        raise BadInput(f"The suite {description.slug} has no {path.name}.") from None
    except UnicodeDecodeError:
        raise BadInput(f"{path.name} is not UTF-8 text.") from None
    if not 0 < len(lines) <= _MAX_ROWS:
        raise BadInput(f"{path.name} has {len(lines)} rows; 1 to {_MAX_ROWS} are allowed.")
    numbers = {label: number for number, label in enumerate(description.labels)}
    return [
        _row(line, f"{path.name}, line {number}", description, numbers)
        for number, line in enumerate(lines, start=1)
    ]


def _row(line: str, where: str, description: SuiteDescription, numbers: Mapping[str, int]) -> Row:
    try:
        values = json.loads(line)
        text, label = values[description.text_field], values[description.label_field]
    except (ValueError, TypeError, KeyError):
        fields = f"{description.text_field!r} and {description.label_field!r}"
        raise BadInput(f"{where}: a row must be a JSON object with {fields}.") from None
    if not isinstance(text, str) or not text.strip():
        raise BadInput(f"{where}: {description.text_field!r} must be a text that is not empty.")
    if not isinstance(label, str) or label not in numbers:
        raise BadInput(f"{where}: the label {label!r} is none of {', '.join(numbers)}.")
    return Row(text, numbers[label])


def _checked(values: Mapping[Any, Any]) -> SuiteDescription:
    wanted = get_type_hints(SuiteDescription)
    if set(values) != set(wanted):
        wrong = sorted(str(key) for key in set(values) ^ set(wanted))
        raise BadInput(f"{DESCRIPTION_FILE}: missing or unknown keys: {', '.join(wrong)}.")
    for key, kind in wanted.items():
        origin = getattr(kind, "__origin__", kind)
        if type(values[key]) is not origin:
            raise BadInput(f"{DESCRIPTION_FILE}: {key} must be a {origin.__name__}, not {values[key]!r}.")
    description = SuiteDescription(**{str(key): value for key, value in values.items()})
    _check_words(description)
    return description


def _check_words(description: SuiteDescription) -> None:
    if description.protocol not in PROTOCOLS:
        raise BadInput(f"{DESCRIPTION_FILE}: protocol must be one of {', '.join(PROTOCOLS)}.")
    if description.metric not in METRICS:
        raise BadInput(f"{DESCRIPTION_FILE}: metric must be one of {', '.join(METRICS)}.")
    labels = description.labels
    if (
        not all(isinstance(label, str) for label in labels)
        or len(set(labels)) != len(labels)
        or len(labels) < 2
    ):
        raise BadInput(f"{DESCRIPTION_FILE}: labels must be at least two different texts.")
    if description.version < 1:
        raise BadInput(f"{DESCRIPTION_FILE}: version starts at 1.")
