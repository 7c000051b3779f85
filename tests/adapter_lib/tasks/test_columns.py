"""Which column plays which part, what stands in it, and the labels found there."""

from typing import Any

import pytest

from adapter_lib.tasks import DataError, Rows, cells
from adapter_lib.tasks.columns import Part, find_columns
from adapter_lib.tasks.labels import label_of, names_in_order, number_of, tags_in_order
from adapter_lib.tasks.reading import Row

TEXT = Part("text", ("text", "sentence"))
LABEL = Part("label", ("label",))
NAME = Part("label_name", ("label_name",), is_optional=True)


def rows_of(*values: dict[str, Any]) -> Rows:
    found = tuple(Row(value, number) for number, value in enumerate(values, 1))
    return Rows("a.jsonl", "line", tuple(dict.fromkeys(key for value in values for key in value)), found)


def test_usual_names_in_any_case_and_given_ones() -> None:
    rows = rows_of({"id": 1, "Sentence": "x", "LABEL": 0, "note": "y"})
    assert find_columns(rows, (TEXT, LABEL, NAME)) == {"text": "Sentence", "label": "LABEL"}
    assert find_columns(rows, (TEXT, LABEL), {"text": "note"})["text"] == "note"


def test_the_likeliest_name_comes_first() -> None:
    assert find_columns(rows_of({"sentence": "x", "text": "y"}), (TEXT,)) == {"text": "text"}


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({}, r"no column called text or sentence: its columns are body, label; .*--column text=NAME"),
        ({"text": "none"}, r"has no column 'none'; it has body, label"),
        ({"texts": "body"}, r"has no 'texts'; it has label, text"),
    ],
)
def test_what_cannot_be_told_is_said(given: dict[str, str], message: str) -> None:
    with pytest.raises(DataError, match=message):
        find_columns(rows_of({"body": "x", "label": 0}), (TEXT, LABEL), given)


@pytest.mark.parametrize(
    ("reader", "value", "message"),
    [
        ("text", 3, r"a\.jsonl, line 1: 'x' must be text, not '3'"),
        ("text", " ", r"line 1 has an empty 'x'"),
        ("text", None, r"line 1 has no 'x'"),
        ("number", "high", r"must be a number, not 'high'"),
        ("number", "inf", r"must be a number"),
        ("number", True, r"must be a number"),
        ("words", 3, r"must be a list of words"),
        ("words", [], r"must be a list of words"),
        ("words", [None], r"must be a list of words"),
    ],
)
def test_cells_are_checked(reader: str, value: Any, message: str) -> None:
    rows = rows_of({"x": value})
    with pytest.raises(DataError, match=message):
        getattr(cells, reader)(rows, rows.rows[0], "x")


def test_cells_are_read() -> None:
    rows = rows_of({"n": "1.5", "w": "a b", "l": ["a", 1]})
    row = rows.rows[0]
    assert cells.number(rows, row, "n") == 1.5
    assert cells.words(rows, row, "w") == ("a", "b")
    assert cells.words(rows, row, "l") == ("a", "1")


COLUMNS = {"text": "text", "label": "label"}
NAMED = {**COLUMNS, "label_name": "label_name"}


def test_labels_in_order() -> None:
    names = rows_of({"label": "b"}, {"label": "a"}, {"label": "b"})
    assert names_in_order(names, COLUMNS) == ("a", "b")
    numbers = rows_of({"label": 10}, {"label": "9"}, {"label": 2.0})
    assert names_in_order(numbers, COLUMNS) == ("2", "9", "10")
    assert names_in_order(rows_of({"label": True}, {"label": False}), COLUMNS) == ("false", "true")
    both = rows_of({"label": 1, "label_name": "good"}, {"label": 0, "label_name": "poor"})
    assert names_in_order(both, NAMED) == ("poor", "good")
    assert label_of(both, both.rows[0], NAMED) == "good"


def test_names_beside_labels_that_are_no_numbers() -> None:
    rows = rows_of({"label": "x", "label_name": "good"}, {"label": "y", "label_name": "bad"})
    assert names_in_order(rows, NAMED) == ("bad", "good")


def test_tags_in_order() -> None:
    rows = rows_of({"tags": ["B-X", "O"]})
    assert tags_in_order(rows, "tags", ["I-X", "O", "B-X"]) == ("O", "B-X", "I-X")


def test_labels_that_cannot_be_learnt() -> None:
    with pytest.raises(DataError, match="every row has the label 'a' in 'label'"):
        names_in_order(rows_of({"label": "a"}, {"label": "a"}), COLUMNS)
    with pytest.raises(DataError, match=r"line 2 calls the label 1 'bad', an earlier row calls it 'good'"):
        names_in_order(rows_of({"label": 1, "label_name": "good"}, {"label": 1, "label_name": "bad"}), NAMED)
    many = rows_of(*({"label": f"x{number}"} for number in range(10_001)))
    with pytest.raises(DataError, match="more than 10000"):
        names_in_order(many, COLUMNS)


def test_a_label_is_looked_up_by_name_or_by_number() -> None:
    assert number_of("good", ("bad", "good"), "here") == 1
    assert number_of("1", ("bad", "good"), "here") == 1
    # Where names are numbers they are no positions.
    assert number_of("2", ("1", "2"), "here") == 1
    for label in ("2", "fine", "-1"):
        with pytest.raises(
            DataError, match=r"here: the label .* is none of those that were learnt: bad, good"
        ):
            number_of(label, ("bad", "good"), "here")
    with pytest.raises(DataError):
        number_of("0", ("1", "2"), "here")
