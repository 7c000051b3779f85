"""Options that several commands have."""

from typing import Annotated

import typer

from adapter_lib.spec.errors import ConfigError

Endpoint = Annotated[
    str | None, typer.Option("--endpoint", help="The hub's address; by default ADAPTER_HUB_ENDPOINT's.")
]
Token = Annotated[
    str | None, typer.Option("--token", help="By default ADAPTER_HUB_TOKEN's, or what `login` kept.")
]
Backbone = Annotated[
    str | None,
    typer.Option("--backbone", help="The backbone's id or folder; by default the one the adapter names."),
]
Task = Annotated[
    str | None,
    typer.Option(
        "--task",
        help="classification, regression, tagging, qa, causal-lm or seq2seq; by default the adapter's.",
    ),
]
Column = Annotated[
    list[str] | None,
    typer.Option("--column", metavar="PART=NAME", help="Which column is which, such as text=review."),
]
MaxLength = Annotated[
    int | None, typer.Option("--max-length", min=4, help="Tokens kept of a text; the task's own by default.")
]
Limit = Annotated[int | None, typer.Option("--limit", min=1, help="Use the first rows only.")]

Resamples = Annotated[
    int, typer.Option("--resamples", min=0, help="Resamples for the intervals, at most; 0: no intervals.")
]
RESAMPLES = 1000


def pairs(given: list[str] | None, option: str) -> dict[str, str]:
    """`KEY=VALUE` words of a repeated option. Raises ConfigError."""
    found: dict[str, str] = {}
    for word in given or []:
        key, equals, value = word.partition("=")
        if not (key and equals and value):
            raise ConfigError(f"{option} is written KEY=VALUE, not {word!r}.")
        found[key] = value
    return found
