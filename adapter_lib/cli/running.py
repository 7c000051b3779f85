"""How every command runs: its answer goes to stdout, all else to stderr, and no error is a traceback."""

import functools
import inspect
import json
import sys
import warnings
from collections.abc import Callable
from contextlib import redirect_stdout
from typing import Annotated, Any, NoReturn

import typer

from adapter_lib.cli.answer import Answer, show
from adapter_lib.cli.exit_codes import INTERRUPTED, PROBLEMS, REFUSED, UNREACHABLE
from adapter_lib.hub.errors import HubUnreachableError, PublishError
from adapter_lib.spec.errors import AdapterLibError, ConfigError

JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON document on stdout.")]


def runnable(command: Callable[..., Answer]) -> Callable[..., None]:
    """The function that typer runs: the command's own parameters and `--json`."""

    @functools.wraps(command)
    def run(*, as_json: bool, **given: Any) -> None:
        try:
            with redirect_stdout(sys.stderr), _short_warnings():
                answer = command(**given)
        except (AdapterLibError, OSError) as error:
            _refuse(error, as_json=as_json)
        except KeyboardInterrupt:
            raise typer.Exit(INTERRUPTED) from None
        show(answer, as_json=as_json)
        if answer.exit_code:
            raise typer.Exit(answer.exit_code)

    own = inspect.signature(command)
    as_json = inspect.Parameter(
        "as_json", inspect.Parameter.KEYWORD_ONLY, default=False, annotation=JsonOption
    )
    parameters = [*own.parameters.values(), as_json]
    run.__signature__ = own.replace(parameters=parameters, return_annotation=None)  # type: ignore[attr-defined]
    run.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    return run


def _refuse(error: Exception, *, as_json: bool) -> NoReturn:
    # A config string's error goes on with the string and a mark below the place, for those who catch it.
    text = str(error).partition("\n")[0] if isinstance(error, ConfigError) else str(error)
    sentence = " ".join(text.split())
    print(sentence, file=sys.stderr)
    code = _code_of(error)
    if as_json:
        print(json.dumps({"error": sentence, "exit_code": code}, ensure_ascii=False, indent=2))
    raise typer.Exit(code)


def _code_of(error: Exception) -> int:
    if isinstance(error, HubUnreachableError):
        return UNREACHABLE
    return PROBLEMS if isinstance(error, PublishError) and error.findings else REFUSED


class _short_warnings(warnings.catch_warnings):  # noqa: N801 - a context manager, named as its base
    """Warnings as one line each, without the place in the code that made them."""

    def __enter__(self) -> None:
        super().__enter__()
        warnings.showwarning = _show_warning


def _show_warning(message: Warning | str, *_: Any, **__: Any) -> None:
    print(f"Warning: {' '.join(str(message).split())}", file=sys.stderr)
