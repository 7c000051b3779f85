"""The lines of a commit as typed operations."""

from typing import Any

import pytest

from hubsite.core.errors import BadInput
from hubsite.hfapi.ndjson import Line
from hubsite.hfapi.schemas.commit import (
    CopiedFile,
    Header,
    InlineFile,
    LargeFile,
    RemovedFile,
    RemovedFolder,
    read_commit,
)
from hubsite.hfapi.schemas.fields import Fields
from hubsite.registry.models import Blob

BLOB = Blob(sha256="b" * 64, git_sha1="b" * 40, size=1)


def line(key: str, content: Blob | None = None, **value: Any) -> Line[Blob]:
    return Line(Fields({"key": key, "value": value}, "Line 1"), content, 1)


def header(**value: Any) -> Header:
    return read_commit([line("header", **value)]).header


def test_every_operation() -> None:
    body = read_commit(
        [
            line("header", summary="All", description="more", parentCommit="abcde"),
            line("file", BLOB, path="a", encoding="base64"),
            line("lfsFile", path="b", algo="sha256", oid="c" * 64, size=3),
            line("lfsFile", path="b2", oid="c" * 64),
            line("deletedFile", path="c"),
            line("deletedFolder", path="d/"),
            line("copyFile", path="e", srcPath="f", srcRevision="main"),
            line("copyFile", path="e", srcPath="f", srcRevision=None),
        ]
    )
    assert body.header == Header("All", "more", "abcde")
    assert body.operations == [
        InlineFile("a", BLOB),
        LargeFile("b", "c" * 64, 3),
        LargeFile("b2", "c" * 64, None),
        RemovedFile("c"),
        RemovedFolder("d"),
        CopiedFile("e", "f", "main"),
        CopiedFile("e", "f", None),
    ]


def test_titles() -> None:
    assert header(summary="  two\nlines ").title == "two lines"
    assert header(summary=" ").title == "Upload files"
    long = header(summary="x" * 300, description="more")
    assert (len(long.title), long.message) == (200, "x" * 300 + "\n\nmore")


@pytest.mark.parametrize(
    "lines",
    [
        [],
        [line("file", BLOB, path="a")],
        [line("header", summary=1)],
        [line("header", summary="s", parentCommit="abcd")],
        [line("header", summary="s", parentCommit="A" * 40)],
        [line("header", summary="s"), line("header", summary="s")],
        [line("header", summary="s"), line("file", path="a")],
        [line("header", summary="s"), line("file", BLOB, path="x" * 513)],
        [line("header", summary="s"), line("copyFile", path="a")],
    ],
)
def test_wrong_bodies(lines: list[Line[Blob]]) -> None:
    with pytest.raises(BadInput):
        read_commit(lines)


def test_unknown_keys_are_named_beside_the_known_ones() -> None:
    with pytest.raises(BadInput, match=r"unknown key 'move'; known are header, file, lfsFile"):
        read_commit([line("header", summary="s"), line("move")])
