"""`adapter-lib families`: every model family that has a role table."""

from typing import Annotated

import typer

from adapter_lib.cli.table import show
from adapter_lib.families import list_families


def families(
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
) -> None:
    """List every model family with the model types it serves and the places it has for adapters."""
    rows = [
        {
            "family": family.name,
            "model_types": family.model_types,
            "towers": family.towers,
            "roles": family.roles,
        }
        for family in list_families()
    ]
    show(rows, as_json=as_json)
