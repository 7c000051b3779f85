"""`adapter-lib publish`: from a folder to a validated adapter on a hub."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from adapter_lib.cli.answer import Answer
from adapter_lib.cli.options import Endpoint, Token, pairs
from adapter_lib.hub.publishing import DEFAULT_TIMEOUT_SECONDS
from adapter_lib.hub.publishing import publish as publish_folder
from adapter_lib.spec.errors import ConfigError


def publish(
    folder: Annotated[Path, typer.Argument(help="As `train` or `save_adapter` wrote it.")],
    repo: Annotated[str, typer.Argument(metavar="NAMESPACE/NAME", help="It is made if it does not exist.")],
    task: Annotated[str, typer.Option(help="One of the hub's tasks, such as sentiment.")],
    dataset: Annotated[str | None, typer.Option(help="What it was trained on.")] = None,
    language: Annotated[list[str] | None, typer.Option(help="A language tag such as en; repeatable.")] = None,
    license: Annotated[str, typer.Option(help="Its licence.")] = "apache-2.0",
    metric: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME=VALUE", help="What you measured; by default what `train` measured."),
    ] = None,
    summary: Annotated[str | None, typer.Option(help="One sentence about it.")] = None,
    backbone: Annotated[str | None, typer.Option(help="The id that others load the backbone by.")] = None,
    private: Annotated[bool, typer.Option("--private", help="Only you see it.")] = False,
    wait: Annotated[bool, typer.Option(help="Follow the validation to its end.")] = True,
    timeout: Annotated[float, typer.Option(help="Seconds to wait at most.")] = DEFAULT_TIMEOUT_SECONDS,
    endpoint: Endpoint = None,
    token: Token = None,
) -> Answer:
    """Upload an adapter with a card, and wait until the hub has validated and published it."""
    done = publish_folder(
        folder,
        repo,
        task=task,
        dataset=dataset,
        language=language or ["en"],
        license=license,
        metrics=_metrics(folder, metric),
        summary=summary,
        backbone=backbone,
        private=private,
        wait=wait,
        timeout=timeout,
        endpoint=endpoint,
        token=token,
    )
    return Answer(asdict(done), [f"{done.repo_id} is {done.state}: {done.url}"])


def _metrics(folder: Path, given: list[str] | None) -> dict[str, float]:
    if given is None:
        # Imported here because it loads torch.
        from adapter_lib.tasks.record import read_record

        record = read_record(folder)
        # Cards hold fractions; perplexities and errors are none.
        return {s.name: s.value for s in record.scores if 0 <= s.value <= 1} if record else {}
    try:
        return {name: float(value) for name, value in pairs(given, "--metric").items()}
    except ValueError as error:
        raise ConfigError(f"--metric is written NAME=VALUE with a number as value: {error}.") from None
