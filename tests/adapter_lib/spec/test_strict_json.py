import time

import pytest

from adapter_lib.spec.strict_json import (
    DuplicateKeyError,
    StrictJsonError,
    TooManyItemsError,
    finite,
    is_clean,
    loads,
    quoted,
)


def test_reads_plain_json() -> None:
    assert loads('{"a": [1, 2.5, "x\\"{[,"], "b": null}', max_items=6) == {"a": [1, 2.5, 'x"{[,'], "b": None}


def test_brackets_inside_strings_are_no_values() -> None:
    assert loads('{"a": "' + "[{," * 50 + '"}', max_items=1) == {"a": "[{," * 50}


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("[1, 2, 3, 4]", TooManyItemsError),
        ('{"a": 1, "a": 1}', DuplicateKeyError),
        (b"\xff", StrictJsonError),
        ("NaN", StrictJsonError),
        ("1" * 101, StrictJsonError),
        ("[", StrictJsonError),
    ],
)
def test_refuses(text: str | bytes, error: type[StrictJsonError]) -> None:
    with pytest.raises(error):
        loads(text, max_items=3)


@pytest.mark.parametrize("piece", ['"', "\\", '\\"', '"\\', "[", '"a'])
def test_hostile_repetition_is_cheap(piece: str) -> None:
    started = time.process_time()
    with pytest.raises(StrictJsonError):
        loads("{" + piece * 500_000, max_items=1000)
    assert time.process_time() - started < 3


def test_quoted_text_is_short_and_printable() -> None:
    assert quoted("a" * 100) == ascii("a" * 79 + "…")
    assert quoted("\x1b\ud800") == r"'\x1b\ud800'"


def test_clean_text() -> None:
    assert is_clean("é😀")
    assert not is_clean("a\x00")
    assert not is_clean("\udc80")


def test_numbers_that_json_has_not_become_null() -> None:
    nan, infinite = float("nan"), float("inf")
    assert finite({"a": [nan, 1.5, (infinite,)], "b": "x", "c": True}) == {
        "a": [None, 1.5, [None]],
        "b": "x",
        "c": True,
    }
