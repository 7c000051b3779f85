"""The application that the commands join."""

import typer

from adapter_lib.cli.convert import convert
from adapter_lib.cli.evaluate import evaluate
from adapter_lib.cli.exit_codes import LEGEND
from adapter_lib.cli.inspect import inspect
from adapter_lib.cli.load import load
from adapter_lib.cli.login import login, logout
from adapter_lib.cli.merge import merge
from adapter_lib.cli.methods import methods
from adapter_lib.cli.models import models
from adapter_lib.cli.publish import publish
from adapter_lib.cli.running import runnable
from adapter_lib.cli.search import search
from adapter_lib.cli.train import train

app = typer.Typer(
    name="adapter-lib",
    help="Adapters for transformers: what there is, and what can be done with it.",
    epilog=LEGEND,
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
COMMANDS = (methods, models, train, evaluate, inspect, convert, merge, login, logout, search, publish, load)
for command in COMMANDS:
    app.command(command.__name__)(runnable(command))


def main() -> None:
    """Run the command line."""
    app()
