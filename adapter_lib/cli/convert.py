"""`adapter-lib convert`: an adapter of one format in another."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from adapter_lib.cli.answer import Answer
from adapter_lib.cli.options import Backbone, Endpoint, Token


class Format(StrEnum):
    """What an adapter can be written as."""

    NATIVE = "native"
    ADAPTERHUB = "adapterhub"
    PEFT = "peft"


def convert(
    adapter: Annotated[
        str, typer.Argument(metavar="PATH_OR_ID", help="A folder of any of the three formats.")
    ],
    to: Annotated[Format, typer.Option(help="The format to write.")],
    output: Annotated[Path, typer.Option(help="The folder to write.")],
    backbone: Backbone = None,
    use: Annotated[
        str | None,
        typer.Option(
            help="What the model is for, in PEFT's words: SEQ_CLS, TOKEN_CLS, QUESTION_ANS, CAUSAL_LM, "
            "SEQ_2_SEQ_LM or FEATURE_EXTRACTION; by default what the adapter says."
        ),
    ] = None,
    config_only: Annotated[
        bool, typer.Option("--config-only", help="Do not load the backbone's weights; not to native.")
    ] = False,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace the adapter in the folder.")
    ] = False,
    endpoint: Endpoint = None,
    token: Token = None,
) -> Answer:
    """Write an adapter in another format, and tell what has no counterpart there."""
    # Imported here because it loads torch.
    from adapter_lib.cli.converting import Wish, converted
    from adapter_lib.cli.finding import find
    from adapter_lib.cli.outputs import check_free

    wish = Wish(to.value, check_free(output, overwrite=overwrite), backbone, use, config_only)
    return converted(find(adapter, endpoint=endpoint, token=token, allow_unvalidated=True), wish)
