"""Stdout holds the answer alone, errors are sentences, and codes tell them apart."""

import sys
import warnings

import pytest
import typer
from typer.testing import CliRunner

from adapter_lib.cli.answer import Answer
from adapter_lib.cli.running import runnable
from adapter_lib.hub.errors import HubUnreachableError, PublishError
from adapter_lib.spec.errors import LoadError

pytestmark = pytest.mark.filterwarnings("always")


def ran(
    error: BaseException | None = None, answer: Answer | None = None, *words: str
) -> tuple[int, str, str]:
    """What a command does that prints, warns, and then ends so."""

    def command() -> Answer:
        """Do something."""
        print("by the way")
        warnings.warn("this\nis odd", UserWarning, stacklevel=1)
        if error is not None:
            raise error
        return answer or Answer({"a": float("nan")}, ["done", [{"x": 1, "y_z": None, "w": (1, 2)}]])

    app = typer.Typer()
    app.command()(runnable(command))
    done = CliRunner().invoke(app, list(words), env={"COLUMNS": "100"})
    return done.exit_code, done.stdout, done.stderr


def test_only_the_answer_is_on_stdout() -> None:
    code, stdout, stderr = ran()
    assert code == 0
    assert [line.split() for line in stdout.splitlines()] == [
        ["done"],
        ["x", "y", "z", "w"],
        ["1", "-", "1,", "2"],
    ]
    assert stderr.splitlines() == ["by the way", "Warning: this is odd"]


def test_strangers_words_do_not_steer_the_terminal() -> None:
    words = "lora[r=4] [bold]x[/bold]\x1b[2J\x07"
    code, stdout, _ = ran(None, Answer({}, [words, [{"a": words}]]))
    assert code == 0
    assert stdout.count("lora[r=4] [bold]x[/bold]\ufffd[2J\ufffd") == 2
    assert "\x1b" not in stdout


def test_json_is_one_document() -> None:
    code, stdout, _ = ran(None, None, "--json")
    assert (code, stdout) == (0, '{\n  "a": null\n}\n')


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (LoadError("It\nis broken."), 1),
        (OSError(28, "No space left on device"), 1),
        (PublishError("It is not finished."), 1),
        (PublishError("It did not pass.", ["a finding"]), 3),
        (HubUnreachableError("No hub answers."), 4),
    ],
)
def test_errors_are_one_sentence_and_a_code(error: Exception, code: int) -> None:
    sentence = " ".join(str(error).split())
    found, stdout, stderr = ran(error)
    assert (found, stdout) == (code, "")
    assert stderr.splitlines()[-1] == sentence
    found, stdout, stderr = ran(error, None, "--json")
    assert found == code
    assert f'"error": "{sentence}"' in stdout


def test_an_interrupted_command_exits_as_shells_count() -> None:
    assert ran(KeyboardInterrupt())[0] == 130


def test_an_answer_may_carry_a_code() -> None:
    code, stdout, _ = ran(None, Answer([1], ["one problem"], exit_code=3))
    assert (code, stdout) == (3, "one problem\n")


def test_a_fault_of_ours_is_not_hidden() -> None:
    def command() -> Answer:
        """Do something."""
        raise ZeroDivisionError

    app = typer.Typer(pretty_exceptions_enable=False)
    app.command()(runnable(command))
    assert isinstance(CliRunner().invoke(app, []).exception, ZeroDivisionError)


def test_stdout_is_given_back() -> None:
    before = sys.stdout
    ran()
    assert sys.stdout is before
