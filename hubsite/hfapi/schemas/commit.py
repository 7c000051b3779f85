"""Body of a commit: a header line, then one line per operation (hf_protocol 3.6)."""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Self

from hubsite.core.errors import BadInput
from hubsite.hfapi.ndjson import Line
from hubsite.hfapi.schemas.fields import Fields
from hubsite.registry.models import Blob
from hubsite.registry.paths import PATH_LENGTH

MAX_TITLE = 200
_MAX_MESSAGE = 20_000
_PARENT = re.compile(r"\A[0-9a-f]{5,40}\Z")


@dataclass(frozen=True)
class Header:
    """What the commit is called, and the head it was prepared on (5 to 40 hexadecimal digits)."""

    title: str
    message: str
    parent: str | None

    @classmethod
    def read(cls, fields: Fields) -> Self:
        """A summary longer than a title may be goes to the message, whole."""
        summary = fields.text("summary", limit=_MAX_MESSAGE)
        message = fields.text("description", "", limit=_MAX_MESSAGE)
        parent = fields.text("parentCommit", "")
        if parent and not _PARENT.match(parent):
            raise BadInput("parentCommit must be 5 to 40 lower-case hexadecimal digits.")
        title = " ".join(summary.split()) or "Upload files"
        if len(title) > MAX_TITLE:
            title, message = f"{title[: MAX_TITLE - 1]}…", f"{summary}\n\n{message}".strip()
        return cls(title, message, parent or None)


@dataclass(frozen=True)
class InlineFile:
    """A file whose bytes came with the line and are stored already."""

    path: str
    blob: Blob


@dataclass(frozen=True)
class LargeFile:
    """A file whose bytes were sent before, by SHA-256; copies come without a size."""

    path: str
    oid: str
    size: int | None


@dataclass(frozen=True)
class RemovedFile:
    """A file to delete."""

    path: str


@dataclass(frozen=True)
class RemovedFolder:
    """A folder to delete with everything in it."""

    path: str


@dataclass(frozen=True)
class CopiedFile:
    """A file to take over from a revision of the same repository."""

    path: str
    source_path: str
    source_revision: str | None


Operation = InlineFile | LargeFile | RemovedFile | RemovedFolder | CopiedFile


@dataclass(frozen=True)
class CommitBody:
    """The whole body, in the order in which it was sent."""

    header: Header
    operations: list[Operation]


def read_commit(lines: Iterable[Line[Blob]]) -> CommitBody:
    """Raises `BadInput` if the body does not begin with its header, and for an unknown or wrong line."""
    iterator: Iterator[Line[Blob]] = iter(lines)
    first = next(iterator, None)
    if first is None or first.fields.text("key") != "header":
        raise BadInput("The first line of a commit must have the key 'header'.")
    header = Header.read(first.fields.object("value"))
    return CommitBody(header, [_operation(line) for line in iterator])


def _operation(line: Line[Blob]) -> Operation:
    key = line.fields.text("key")
    reader = _READERS.get(key)
    if reader is None:
        raise BadInput(
            f"Line {line.number} has the unknown key {key!r}; known are header, {', '.join(_READERS)}."
        )
    return reader(line, line.fields.object("value"))


def _path(value: Fields, name: str = "path") -> str:
    return value.text(name, limit=PATH_LENGTH)


def _inline_file(line: Line[Blob], value: Fields) -> InlineFile:
    if line.content is None:
        raise BadInput(f"Line {line.number}: a file needs its content as a base64 string.")
    if value.text("encoding", "base64") != "base64":
        raise BadInput(f"Line {line.number}: the encoding must be base64.")
    return InlineFile(_path(value), line.content)


def _large_file(line: Line[Blob], value: Fields) -> LargeFile:
    if value.text("algo", "sha256") != "sha256":
        raise BadInput(f"Line {line.number}: the algo must be sha256.")
    size = value.integer("size") if "size" in value else None
    return LargeFile(_path(value), value.digest("oid", 64), size)


def _removed_folder(_line: Line[Blob], value: Fields) -> RemovedFolder:
    return RemovedFolder(_path(value).removesuffix("/"))


def _copied_file(_line: Line[Blob], value: Fields) -> CopiedFile:
    return CopiedFile(_path(value), _path(value, "srcPath"), value.text("srcRevision", "") or None)


_READERS: dict[str, Callable[[Line[Blob], Fields], Operation]] = {
    "file": _inline_file,
    "lfsFile": _large_file,
    "deletedFile": lambda _line, value: RemovedFile(_path(value)),
    "deletedFolder": _removed_folder,
    "copyFile": _copied_file,
}
