"""`adapter-lib evaluate`: how good an adapter's answers are."""

from typing import Annotated

import typer

from adapter_lib.cli.answer import Answer
from adapter_lib.cli.options import (
    RESAMPLES,
    Backbone,
    Column,
    Endpoint,
    Limit,
    MaxLength,
    Resamples,
    Task,
    Token,
    pairs,
)


def evaluate(
    adapter: Annotated[str, typer.Argument(metavar="PATH_OR_ID", help="A folder, hub:… or hf:….")],
    data: Annotated[str, typer.Option(help="JSON lines, CSV, a folder of these, or a data set's id.")],
    split: Annotated[str | None, typer.Option(help="By default test, else validation.")] = None,
    task: Task = None,
    backbone: Backbone = None,
    column: Column = None,
    max_length: MaxLength = None,
    batch_size: Annotated[int, typer.Option(min=1)] = 32,
    limit: Limit = None,
    resamples: Resamples = RESAMPLES,
    allow_unvalidated: Annotated[
        bool, typer.Option("--allow-unvalidated", help="Also what the hub has not validated.")
    ] = False,
    endpoint: Endpoint = None,
    token: Token = None,
) -> Answer:
    """Measure an adapter on data, each measure with a 95 % interval."""
    # Imported here because it loads torch.
    from adapter_lib.cli.finding import find
    from adapter_lib.cli.opening import open_adapter
    from adapter_lib.cli.progress import bar
    from adapter_lib.cli.scores import score_document, score_rows
    from adapter_lib.tasks import Data
    from adapter_lib.tasks.measuring import measure

    columns = pairs(column, "--column")
    rows = Data(data).asked(split).head(limit)
    found = find(adapter, endpoint=endpoint, token=token, allow_unvalidated=allow_unvalidated)
    opened = open_adapter(found, task=task, backbone=backbone)
    with bar("Evaluating") as progress:
        measured = measure(
            opened.backbone,
            opened.task,
            rows,
            opened.labels,
            columns=columns,
            max_length=max_length or (opened.record.max_length if opened.record else None),
            batch_size=batch_size,
            progress=progress,
            resamples=resamples,
        )
    document = {"adapter": adapter, "task": opened.task.name, **score_document(measured)}
    return Answer(document, [f"{measured.examples} examples of {measured.source}", score_rows(measured)])
