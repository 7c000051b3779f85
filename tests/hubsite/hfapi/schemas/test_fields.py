import json

import pytest

from hubsite.core.errors import BadInput
from hubsite.hfapi.schemas.fields import parse_object


@pytest.mark.parametrize(
    "body",
    [b"", b"nonsense", b"[]", b"null", b"1", b'{"a": NaN}', b'{"a": Infinity}', b"\xff\xfe", b"[" * 100_000,
     b'{"a": ' + b"9" * 5000 + b"}", b'{"a": 1} x'],
)  # fmt: skip
def test_only_one_json_object_is_a_body(body: bytes) -> None:
    with pytest.raises(BadInput, match=r"The body is not (valid JSON|a JSON object)\."):
        parse_object(body, "The body")


@pytest.mark.parametrize(
    ("value", "reader"),
    [
        ("1", "text"), ("null", "text"), ('["a"]', "text"), ('"a\\u0000b"', "text"), ('"\\ud800"', "text"),
        ('"' + "x" * 1001 + '"', "text"), ("-1", "integer"), ("1.0", "integer"), ("true", "integer"),
        ("9223372036854775808", "integer"), ("1e3", "integer"), ('"yes"', "flag"), ("1", "flag"),
        ("{}", "texts"), ("[1]", "texts"), ("[]", "object"), ('"a"', "object"),
    ],
)  # fmt: skip
def test_wrong_types_are_named(value: str, reader: str) -> None:
    fields = parse_object(f'{{"member": {value}}}', "The body")
    keywords = {"default": False} if reader == "flag" else {}
    with pytest.raises(BadInput, match=r"^The body: 'member' must be "):
        getattr(fields, reader)("member", **keywords)


def test_digests_are_lower_case_hexadecimal() -> None:
    fields = parse_object(json.dumps({"good": "a" * 40, "bad": "A" * 40, "none": None}), "The body")
    assert fields.digest("good", 40) == "a" * 40
    for name in ("bad", "none", "absent"):
        with pytest.raises(BadInput, match="40 lower-case hexadecimal digits"):
            fields.digest(name, 40)


def test_lists_are_bounded_and_say_where_the_fault_is() -> None:
    fields = parse_object('{"files": [{"size": 1}, {"size": "x"}]}', "The body")
    first, second = fields.objects("files", limit=2)
    assert first.integer("size") == 1
    with pytest.raises(BadInput, match=r"files\[1\]: 'size'"):
        second.integer("size")
    with pytest.raises(BadInput, match="at most 1 entries"):
        fields.objects("files", limit=1)


def test_absence_and_null_are_the_same() -> None:
    fields = parse_object('{"a": null, "b": false}', "The body")
    assert "a" not in fields
    assert "b" in fields
    assert fields.text("a", "default") == "default"
    assert fields.flag("a", default=True) is True
    assert fields.flag("b", default=True) is False
    assert fields.is_false("b")
    assert not fields.is_false("a")
