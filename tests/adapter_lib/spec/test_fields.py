from typing import Any

import pytest

from adapter_lib.spec.fields import FieldError, Fields


def test_errors_name_the_member_from_the_root_on() -> None:
    inner = Fields({"a": {"b": {"c": 1}}}).nested("a").nested("b")
    assert inner.path("c") == "a.b.c"
    with pytest.raises(FieldError, match=r"^a\.b\.d is missing\.$"):
        inner.text("d")
    with pytest.raises(FieldError, match=r"^a\.b\.c must be a printable string"):
        inner.text("c")


def test_whatever_was_not_read_is_refused() -> None:
    fields = Fields({"a": "x", "\x1b": 1})
    fields.text("a")
    with pytest.raises(FieldError, match=r"known are a\.") as caught:
        fields.done()
    assert caught.value.kind == "unknown_key"
    assert str(caught.value).isprintable()


def test_null_is_read_where_it_is_allowed() -> None:
    fields = Fields({"a": None, "b": None})
    assert fields.text_or_none("a") is None
    assert fields.nested_or_none("b") is None
    fields.done()
    with pytest.raises(FieldError) as caught:
        Fields({}).text_or_none("a")
    assert caught.value.kind == "missing_key"


@pytest.mark.parametrize("value", [1, 1.0, "1", None, [], {}, True, float("nan"), float("inf"), -1])
def test_a_number_is_finite_and_in_range(value: Any) -> None:
    fields = Fields({"x": value})
    if value in (1, 1.0) and value is not True:
        assert fields.number("x", 0, 2) == 1.0
        return
    with pytest.raises(FieldError):
        fields.number("x", 0, 2)
    if value is not True or type(value) is bool:
        with pytest.raises(FieldError):
            Fields({"x": value}).integer("x", 0, 0)


def test_plain_mappings_have_no_depth() -> None:
    plain = {"a": 1, "b": [1, "x"], "c": {"d": None}}
    assert Fields({"x": plain}).plain_mapping("x") == plain
    for deep in ({"a": [[]]}, {"a": {"b": {}}}, {"a": [{}]}):
        with pytest.raises(FieldError, match="plain values"):
            Fields({"x": deep}).plain_mapping("x")


def test_prose_is_one_printable_line() -> None:
    assert Fields({"x": " One.\n\x1b[31mTwo.\u202e "}).prose("x") == "One. [31mTwo."
    with pytest.raises(FieldError):
        Fields({"x": None}).prose("x")


def test_flags_are_true_or_false() -> None:
    assert Fields({"x": False}).flag("x") is False
    with pytest.raises(FieldError):
        Fields({"x": 0}).flag("x")


def test_items_are_numbered_in_errors() -> None:
    first, second = Fields({"x": [{"a": "1"}, {}]}).items("x")
    assert first.text("a") == "1"
    with pytest.raises(FieldError, match=r"^x\[1\]\.a is missing\.$"):
        second.text("a")
    with pytest.raises(FieldError, match="list of objects"):
        Fields({"x": [1]}).items("x")
