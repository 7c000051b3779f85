"""The application that the commands join, and how their errors end."""

import sys

import typer

from adapter_lib.cli import families, methods
from adapter_lib.spec.errors import AdapterLibError

# What a shell sees: 0 done, 1 refused with a sentence, 2 called wrongly (typer's own).
REFUSED = 1

app = typer.Typer(
    name="adapter-lib",
    help="Adapters for transformers: what there is, and what can be done with it.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
)
app.command("methods")(methods.methods)
app.command("families")(families.families)


def main() -> None:
    """Run the command line; an error of the library is one sentence on stderr and exit code 1."""
    try:
        app()
    except AdapterLibError as error:
        print(error, file=sys.stderr)
        sys.exit(REFUSED)
