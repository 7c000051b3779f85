"""`adapter-lib methods`: every adapter method, its presets, its default learning rate and its paper."""

from typing import Annotated

import typer

from adapter_lib.cli.table import show
from adapter_lib.methods import list_methods


def methods(
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
) -> None:
    """List every adapter method with its presets, default learning rate (AdamW) and paper."""
    rows = [
        {
            "method": method.name,
            "presets": method.presets,
            "learning_rate": method.learning_rate,
            "summary": method.summary,
            "paper": method.paper,
        }
        for method in list_methods()
    ]
    show(rows, as_json=as_json)
