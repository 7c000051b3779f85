"""`adapter-lib train`: from data to an adapter in a folder."""

from pathlib import Path
from typing import Annotated

import typer

from adapter_lib.cli.answer import Answer
from adapter_lib.cli.options import RESAMPLES, Column, Limit, MaxLength, Resamples, pairs


def train(
    backbone: Annotated[str, typer.Option(help="The backbone's id or folder.")],
    data: Annotated[str, typer.Option(help="JSON lines, CSV, a folder of these, or a data set's id.")],
    task: Annotated[str, typer.Option(help="classification, regression, tagging, qa, causal-lm or seq2seq.")],
    output: Annotated[Path, typer.Option(help="The folder for the adapter.")],
    method: Annotated[
        str, typer.Option(help="Such as lora, 'lora[r=16]' or 'prefix_tuning|par_bn'.")
    ] = "lora",
    eval_data: Annotated[
        str | None, typer.Option(help="What to measure on; by default the folder's validation or test split.")
    ] = None,
    column: Column = None,
    epochs: Annotated[float, typer.Option(min=0.001)] = 3.0,
    batch_size: Annotated[int, typer.Option(min=1)] = 16,
    learning_rate: Annotated[float | None, typer.Option(min=0.0, help="By default the method's own.")] = None,
    max_length: MaxLength = None,
    seed: int = 42,
    limit: Limit = None,
    resamples: Resamples = RESAMPLES,
    revision: Annotated[str | None, typer.Option(help="The backbone's revision.")] = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace the adapter in the folder.")
    ] = False,
) -> Answer:
    """Train an adapter and its head, measure it, and save both with a record of the training."""
    # Imported here because it loads torch.
    from adapter_lib.cli.training_run import Wanted, run
    from adapter_lib.spec.strings import parse_config
    from adapter_lib.tasks.fitting import Recipe

    recipe = Recipe(parse_config(method), epochs, batch_size, learning_rate, max_length, seed)
    return run(
        Wanted(
            backbone=backbone,
            revision=revision,
            data=data,
            eval_data=eval_data,
            task=task,
            method=method,
            output=output,
            columns=pairs(column, "--column"),
            limit=limit,
            resamples=resamples,
            overwrite=overwrite,
        ),
        recipe,
    )
