"""Calling the command line as a shell does, in this process."""

import json
from dataclasses import dataclass
from typing import Any

from typer.testing import CliRunner

from adapter_lib.cli.app import app

_RUN = CliRunner()


@dataclass(frozen=True)
class Done:
    """What a shell sees."""

    code: int
    stdout: str
    stderr: str

    @property
    def document(self) -> Any:
        """The JSON on stdout; fails if anything else stands there."""
        return json.loads(self.stdout)


def call(*words: object, stdin: str | None = None, width: int = 200) -> Done:
    """Run `adapter-lib` with these words. Whatever is raised, other than an exit, is raised here too."""
    done = _RUN.invoke(app, [str(word) for word in words], input=stdin, env={"COLUMNS": str(width)})
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    return Done(done.exit_code, done.stdout, done.stderr)


def refused(*words: object) -> str:
    """The sentence of a call that is refused with exit code 1; the same stands in the JSON document."""
    plain, with_json = call(*words), call(*words, "--json")
    assert plain.code == with_json.code == 1, plain
    assert plain.stdout == ""
    sentence = plain.stderr.strip().splitlines()[-1]
    assert with_json.document == {"error": sentence, "exit_code": 1}
    assert sentence.endswith((".", "?", ")", "…")), sentence
    return sentence
