"""What `adapter-lib train` does, in order."""

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from adapter_lib.cli.answer import Answer, Row
from adapter_lib.cli.outputs import check_free
from adapter_lib.cli.progress import bar
from adapter_lib.cli.scores import score_document, score_rows
from adapter_lib.tasks import Data, Rows, Task, task_named
from adapter_lib.tasks.backbone import Backbone, open_backbone
from adapter_lib.tasks.fitting import NAME, Fitted, Recipe, fit
from adapter_lib.tasks.measuring import Measured, measure
from adapter_lib.tasks.record import TrainingRecord, write_record


@dataclass(frozen=True)
class Wanted:
    """What was asked for besides the recipe."""

    backbone: str
    revision: str | None
    data: str
    eval_data: str | None
    task: str
    method: str
    output: Path
    columns: Mapping[str, str]
    limit: int | None
    resamples: int
    overwrite: bool


def run(wanted: Wanted, recipe: Recipe) -> Answer:
    """Read, train, measure, save. Raises AdapterLibError; nothing is written before all of it worked."""
    task = task_named(wanted.task)
    output = check_free(wanted.output, overwrite=wanted.overwrite)
    rows = Data(wanted.data).training().head(wanted.limit)
    held_out = _held_out(wanted)
    backbone = open_backbone(wanted.backbone, task, revision=wanted.revision)
    with bar("Training") as progress:
        fitted = fit(backbone, task, rows, recipe, columns=wanted.columns, progress=progress)
    measured = _measured(backbone, task, held_out, fitted, wanted)
    report = backbone.model.save_adapter(output, NAME)
    document = _document(wanted, recipe, rows, fitted, measured, report.size)
    write_record(output, _record(wanted, task, rows, fitted, measured, document))
    return Answer(document, _shown(wanted, fitted, measured))


def _held_out(wanted: Wanted) -> Rows | None:
    if wanted.eval_data is not None:
        return Data(wanted.eval_data).asked()
    return Data(wanted.data).held_out()


def _measured(
    backbone: Backbone, task: Task[Any, Any], rows: Rows | None, fitted: Fitted, wanted: Wanted
) -> Measured | None:
    if rows is None:
        return None
    with bar("Evaluating") as progress:
        return measure(
            backbone,
            task,
            rows,
            fitted.labels,
            columns=wanted.columns,
            max_length=fitted.max_length,
            progress=progress,
            resamples=wanted.resamples,
        )


def _document(
    wanted: Wanted, recipe: Recipe, rows: Rows, fitted: Fitted, measured: Measured | None, size: int
) -> dict[str, Any]:
    return {
        "folder": str(wanted.output),
        "task": wanted.task,
        "backbone": wanted.backbone,
        "method": wanted.method,
        "data": rows.source,
        "examples": fitted.examples,
        "labels": list(fitted.labels),
        "epochs": recipe.epochs,
        "batch_size": recipe.batch_size,
        "learning_rate": recipe.rate,
        "max_length": fitted.max_length,
        "seed": recipe.seed,
        "steps": fitted.steps,
        "loss": fitted.loss,
        "seconds": round(fitted.seconds, 2),
        "trained_parameters": fitted.trained,
        "bytes": size,
        "evaluation": None if measured is None else score_document(measured),
    }


def _record(
    wanted: Wanted,
    task: Task[Any, Any],
    rows: Rows,
    fitted: Fitted,
    measured: Measured | None,
    document: Mapping[str, Any],
) -> TrainingRecord:
    kept = ("examples", "labels", "epochs", "batch_size", "learning_rate", "seed", "steps", "loss", "seconds")
    rest = {key: document[key] for key in (*kept, "trained_parameters")}
    versions = {name: version(name) for name in ("torch", "transformers")}
    return TrainingRecord(
        task=task.name,
        backbone=wanted.backbone,
        method=wanted.method,
        source=rows.source,
        max_length=fitted.max_length,
        scores=measured.scores if measured is not None else (),
        rest={**rest, "evaluated_on": measured.source if measured else None, "versions": versions},
    )


def _shown(wanted: Wanted, fitted: Fitted, measured: Measured | None) -> list[str | list[Row]]:
    lines: list[str | list[Row]] = [
        f"{wanted.output}: {wanted.method} on {wanted.backbone}, {fitted.trained:,} trained parameters",
        f"{fitted.examples:,} examples, {fitted.steps:,} steps in {fitted.seconds:.1f} s, "
        f"last loss {fitted.loss:.4f}",
    ]
    if measured is None:
        return [*lines, "Not measured: give --eval-data, or a folder with a validation or test split."]
    return [*lines, f"{measured.examples:,} examples of {measured.source}:", score_rows(measured)]
