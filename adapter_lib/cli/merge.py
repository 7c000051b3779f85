"""`adapter-lib merge`: several adapters in one, or adapters in the weights of their backbone."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from adapter_lib.cli.answer import Answer
from adapter_lib.cli.options import Backbone, Endpoint, Token


class Strategy(StrEnum):
    """How adapters become one."""

    AVERAGE = "average"
    LINEAR = "linear"
    CAT = "cat"
    SVD = "svd"
    TIES = "ties"
    DARE_LINEAR = "dare_linear"
    DARE_TIES = "dare_ties"
    MAGNITUDE_PRUNE = "magnitude_prune"


def merge(
    adapters: Annotated[list[str], typer.Argument(metavar="PATH_OR_ID...", help="Adapters of one backbone.")],
    output: Annotated[Path, typer.Option(help="The folder to write.")],
    backbone: Backbone = None,
    into_base: Annotated[
        bool, typer.Option("--into-base", help="Write the backbone with the adapters in its weights.")
    ] = False,
    strategy: Annotated[
        Strategy, typer.Option(help="average: the mean; the others add up, in the space of updates.")
    ] = Strategy.LINEAR,
    weight: Annotated[
        list[float] | None, typer.Option(help="One per adapter, in order; negative ones take away.")
    ] = None,
    rank: Annotated[int | None, typer.Option(min=1, help="Keep at most this rank.")] = None,
    energy: Annotated[float | None, typer.Option(help="Keep the rank that holds this share.")] = None,
    density: Annotated[float | None, typer.Option(help="The share that TIES, DARE and pruning keep.")] = None,
    seed: Annotated[int, typer.Option(help="Of DARE's random numbers.")] = 0,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace what the folder holds.")] = False,
    endpoint: Endpoint = None,
    token: Token = None,
) -> Answer:
    """Merge adapters into one adapter, or with --into-base into a model of transformers."""
    # Imported here because it loads torch.
    from adapter_lib.cli.finding import find
    from adapter_lib.cli.merging import Wish, into_base_model, into_one_adapter
    from adapter_lib.cli.outputs import check_free

    folder = check_free(output, overwrite=overwrite)
    found = [find(each, endpoint=endpoint, token=token, allow_unvalidated=True) for each in adapters]
    if into_base:
        return into_base_model(found, folder, backbone=backbone)
    wish = Wish(strategy.value, tuple(weight) if weight else None, rank, energy, density, seed)
    return into_one_adapter(found, folder, wish, backbone=backbone)
