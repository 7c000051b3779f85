"""How good a model's answers to somebody's data are."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from adapter_lib.tasks.asking import Progress, asker
from adapter_lib.tasks.backbone import Backbone
from adapter_lib.tasks.columns import Columns, find_columns
from adapter_lib.tasks.errors import TaskError
from adapter_lib.tasks.metrics import RESAMPLES, Measure, Score, score
from adapter_lib.tasks.reading import Rows
from adapter_lib.tasks.task import Task


@dataclass(frozen=True)
class Measured:
    """scores: the task's own measure first. examples: how many; source: which data."""

    source: str
    examples: int
    scores: tuple[Score, ...]


def measure(
    backbone: Backbone,
    task: Task[Any, Any],
    rows: Rows,
    labels: Sequence[str],
    *,
    columns: Columns | None = None,
    max_length: int | None = None,
    batch_size: int = 32,
    progress: Progress | None = None,
    resamples: int = RESAMPLES,
) -> Measured:
    """Let a model, whose adapter and head are active, answer the rows.

    resamples: for the intervals, at most. Raises DataError, TaskError.
    """
    examples = task.examples(rows, find_columns(rows, task.parts, columns), labels)
    features = task.features(backbone.tokenizer, examples, token_limit(backbone, task, max_length))
    ask = asker(backbone.model, backbone.tokenizer.pad_token_id, batch_size=batch_size, progress=progress)
    answers = task.answers(backbone.tokenizer, examples, features, ask)
    scores = tuple(score(found, resamples) for found in _measures(task, answers, examples, labels))
    return Measured(rows.source, len(examples), scores)


def token_limit(backbone: Backbone, task: Task[Any, Any], asked: int | None) -> int:
    """The tokens kept of a text. Raises TaskError for more than the backbone reads."""
    most = backbone.most_tokens()
    if asked is None:
        return min(task.max_length, most or task.max_length)
    if most is not None and asked > most:
        raise TaskError(f"max-length is {asked}, but {backbone.name} reads at most {most} tokens of a text.")
    return asked


def _measures(
    task: Task[Any, Any], answers: Sequence[Any], examples: Sequence[Any], labels: Sequence[str]
) -> list[Measure]:
    try:
        return task.measures(answers, examples, labels)
    except ImportError as error:
        raise TaskError(
            f"Measuring {task.name} needs the package {error.name}: install adapter-lib[train]."
        ) from None
