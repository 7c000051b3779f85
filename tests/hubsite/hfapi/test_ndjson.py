"""The streaming reader, fed in pieces of every size."""

import base64
import io
import json
import tracemalloc
from typing import Any, BinaryIO

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hubsite.core.errors import BadInput, TooLarge
from hubsite.hfapi.ndjson import Line, read_lines

LIMIT = 10 * 1024 * 1024


def lines_of(body: bytes, *, step: int = 1 << 20, limit: int = LIMIT) -> list[Line[bytes]]:
    stream = io.BytesIO(body)
    return list(read_lines(lambda size: stream.read(min(size, step)), lambda file: file.read(), limit=limit))


def file_line(content: bytes, path: str = "a.txt") -> bytes:
    encoded = base64.b64encode(content).decode()
    return json.dumps(
        {"key": "file", "value": {"content": encoded, "path": path, "encoding": "base64"}}
    ).encode()


@settings(max_examples=60, deadline=None)
@given(
    st.binary(max_size=300),
    st.integers(1, 40),
    st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=20),
)
def test_any_content_in_any_pieces(content: bytes, step: int, text: str) -> None:
    header = json.dumps({"key": "header", "value": {"summary": text}}).encode()
    first, second, third = lines_of(
        header + b"\n" + file_line(content) + b"\r\n\n" + file_line(b"x", 'qu"ote\\'), step=step
    )
    assert first.fields.object("value").text("summary", "", limit=100) == text
    assert first.content is None
    assert second.content == content
    assert third.content == b"x"
    assert third.fields.object("value").text("path") == 'qu"ote\\'


def test_content_may_come_after_the_path_and_be_spaced() -> None:
    (line,) = lines_of(b'{ "value" : { "path" : "a" , "content" \t: "aGk=" } , "key" : "file" }')
    assert line.content == b"hi"
    assert line.fields.text("key") == "file"


def test_escaped_slashes_are_base64() -> None:
    content = bytes(range(240, 256)) * 3
    encoded = base64.b64encode(content).replace(b"/", b"\\/")
    assert b"\\/" in encoded
    for step in (1, 2, 3, 1000):
        (line,) = lines_of(b'{"key":"file","value":{"content":"' + encoded + b'"}}', step=step)
        assert line.content == content


def test_only_a_member_of_value_is_content() -> None:
    body = b'{"content":"deep","value":{"a":{"content":"x"},"list":["content"],"b":"\\"content\\":"}}'
    (line,) = lines_of(body)
    assert line.content is None
    assert line.fields.text("content") == "deep"


@pytest.mark.parametrize(
    "content",
    ["a", "ab", "abc", "a===", "YQ==YQ==", "Y Q==", "YQ=", "ä", "YQ==\\n", "\\u0059Q==", "YQ==\n"],
)
def test_wrong_base64_is_refused(content: str) -> None:
    body = b'{"key":"file","value":{"content":"' + content.encode() + b'"}}'
    for step in (1, 1000):
        with pytest.raises(BadInput, match="Line 1: the content is not valid base64"):
            lines_of(body, step=step)


@pytest.mark.parametrize(
    "body",
    [
        b'{"key": "file", "value": {"content": "YQ==',
        b'{"key": "file", "value": {"path": "a',
        b'{"key": "file"',
        b'{"key": "fi\nle"}',
        b'{"value": {"content": "YQ==", "content": "YQ=="}}',
        b'{"value": {"content": "YQ==" "path": 1}}',
        b"[1]",
        b"}}}}",
        b'"\\',
        b"\xff\xff",
        b"{" * 200_000,
    ],
)
def test_broken_lines_are_refused(body: bytes) -> None:
    with pytest.raises(BadInput, match="Line 1"):
        lines_of(body)


def test_limits() -> None:
    body = file_line(b"x" * 1000)
    with pytest.raises(TooLarge, match="upload fewer files per commit"):
        lines_of(body, limit=len(body) - 1)
    assert lines_of(body, limit=len(body))[0].content == b"x" * 1000
    with pytest.raises(TooLarge, match="Line 1 is longer than"):
        lines_of(json.dumps({"value": {"path": "x" * 300_000}}).encode())


def test_memory_stays_constant() -> None:
    whole = base64.b64encode(bytes(3 * 1024)) * (8 * 1024)
    parts = [b'{"key":"file","value":{"content":"', whole, b'","path":"a"}}\n']
    body = io.BytesIO(b"".join(parts))
    counted = []

    def count(file: BinaryIO) -> int:
        total = 0
        while piece := file.read(1 << 20):
            total += len(piece)
        counted.append(total)
        return total

    tracemalloc.start()
    lines: list[Any] = list(read_lines(body.read, count, limit=1 << 30))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert lines[0].content == counted[0] == 24 * 1024 * 1024
    assert peak < 6 * 1024 * 1024
