"""Streaming reader of a commit body: JSON lines whose `content` strings may be hundreds of megabytes.

Memory is constant. A line is copied without its file content (the *skeleton*), and the content is handed over
as a stream of decoded bytes while it arrives. It must be handed over at once: clients write `content` before
`path` (hf_protocol 3.6), so the bytes are stored before it is known where they belong.
"""

import binascii
import io
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import BinaryIO, Generic, TypeVar

from hubsite.core.errors import BadInput, TooLarge
from hubsite.hfapi.schemas.fields import Fields, parse_object

Stored = TypeVar("Stored")
ReadBytes = Callable[[int], bytes]

_READ_BYTES = 256 * 1024
# A line without its content: a path, an oid, or a commit description.
_MAX_SKELETON = 256 * 1024
_STRUCTURE = re.compile(rb'["{}\[\]\n]')
_STRING_END = re.compile(rb'["\\\n]')
_CONTENT_KEY = re.compile(rb'[{,]\s*"content"\s*:\s*\Z')
# `content` is a member of `value`, which is a member of the line's object.
_CONTENT_DEPTH = 2
# Stands in the skeleton for content that was taken out; a string is what a client would send.
_PLACEHOLDER = b"0"


@dataclass(frozen=True)
class Line(Generic[Stored]):
    """One line: its JSON object, and what `store` made of its content, if it had one."""

    fields: Fields
    content: Stored | None
    number: int


class Source:
    """Bytes of the body with a buffer in front, and a count that stops at `limit`."""

    def __init__(self, read: ReadBytes, limit: int) -> None:
        self._read = read
        self._limit = limit
        self._taken = 0
        self.buffer = b""
        self.at = 0

    def fill(self) -> bool:
        """Makes sure that a byte is buffered; False at the end of the body.

        Raises `TooLarge` past the limit.
        """
        if self.at < len(self.buffer):
            return True
        self.buffer, self.at = self._read(_READ_BYTES), 0
        self._taken += len(self.buffer)
        if self._taken > self._limit:
            raise TooLarge(commit_too_large(self._limit))
        return bool(self.buffer)

    def upto(self, pattern: re.Pattern[bytes]) -> tuple[bytes, bytes]:
        """Buffered bytes before the next match, and the match; the match is empty if the buffer has none."""
        match = pattern.search(self.buffer, self.at)
        start, end = match.span() if match else (len(self.buffer), len(self.buffer))
        before, found = self.buffer[self.at : start], self.buffer[start:end]
        self.at = end
        return before, found

    def upto_quote(self) -> tuple[bytes, bool]:
        """Buffered bytes before the next quotation mark, and whether there is one; faster than `upto`."""
        end = self.buffer.find(b'"', self.at)
        start, self.at = self.at, end + 1 if end >= 0 else len(self.buffer)
        return self.buffer[start : end if end >= 0 else None], end >= 0


def commit_too_large(limit: int) -> str:
    """The sentence for a commit whose body is over the limit."""
    return (
        f"The commit's body is larger than the {limit // 1024**2} MB that this hub takes at once: "
        "upload fewer files per commit, or set HF_HUB_DISABLE_XET=1 to send large ones as Git LFS objects."
    )


def read_lines(read: ReadBytes, store: Callable[[BinaryIO], Stored], *, limit: int) -> Iterator[Line[Stored]]:
    """The body's lines; blank ones are skipped. `store` gets each `value.content` as a stream of decoded
    bytes.

    Raises `BadInput` for a line that is not a JSON object or content that is not base64, `TooLarge` past
    `limit`.
    """
    source = Source(read, limit)
    number = 0
    while source.fill():
        number += 1
        line = _LineReader(source, store, number).read()
        if line is not None:
            yield line


class _LineReader(Generic[Stored]):
    def __init__(self, source: Source, store: Callable[[BinaryIO], Stored], number: int) -> None:
        self._source = source
        self._store = store
        self._number = number
        self._skeleton = bytearray()
        self._contents: list[Stored] = []
        self._depth = 0

    def read(self) -> Line[Stored] | None:
        """The line that starts at the source's position, or None if it is blank."""
        while self._source.fill():
            before, found = self._source.upto(_STRUCTURE)
            self._keep(before)
            if found == b"\n":
                break
            self._structure(found)
        if not self._skeleton.strip():
            return None
        return self._line()

    def _line(self) -> Line[Stored]:
        fields = parse_object(self._skeleton, f"Line {self._number}")
        if len(self._contents) > 1:
            raise BadInput(f"Line {self._number} has more than one content.")
        return Line(fields, self._contents[0] if self._contents else None, self._number)

    def _structure(self, found: bytes) -> None:
        if found == b'"':
            self._string()
            return
        self._depth += {b"{": 1, b"[": 1, b"}": -1, b"]": -1}.get(found, 0)
        self._keep(found)

    def _string(self) -> None:
        if self._depth == _CONTENT_DEPTH and _CONTENT_KEY.search(
            self._skeleton, max(0, len(self._skeleton) - 64)
        ):
            stream = Base64Stream(self._source, self._number)
            self._contents.append(self._store(io.BufferedReader(stream, _READ_BYTES)))
            stream.finish()
            self._keep(_PLACEHOLDER)
        else:
            self._keep(b'"')
            self._plain_string()

    def _plain_string(self) -> None:
        while self._source.fill():
            before, found = self._source.upto(_STRING_END)
            self._keep(before + found)
            if found == b"\\" and self._source.fill():
                self._keep(self._source.buffer[self._source.at : self._source.at + 1])
                self._source.at += 1
            elif found:
                return

    def _keep(self, part: bytes) -> None:
        self._skeleton += part
        if len(self._skeleton) > _MAX_SKELETON:
            raise TooLarge(
                f"Line {self._number} is longer than {_MAX_SKELETON} bytes without its file content."
            )


class Base64Stream(io.RawIOBase):
    """The rest of a JSON string, decoded from base64 while it is read.

    Raises `BadInput` where it is not base64.
    """

    def __init__(self, source: Source, number: int) -> None:
        super().__init__()
        self._source = source
        self._number = number
        self._encoded = b""
        self._decoded = memoryview(b"")
        self._closed_quote = False
        self._padded = False

    def readable(self) -> bool:
        return True

    def readinto(self, target: memoryview) -> int:  # type: ignore[override] # typeshed has the abstract Buffer
        """Fills `target` as far as decoded bytes are at hand; 0 at the string's end."""
        while not self._decoded and not self._closed_quote:
            self._advance()
        count = min(len(target), len(self._decoded))
        target[:count] = self._decoded[:count]
        self._decoded = self._decoded[count:]
        return count

    def finish(self) -> None:
        """Checks that the reader took everything, so that the parser stands behind the closing quote."""
        if not self._closed_quote or self._decoded:
            raise BadInput(f"Line {self._number}: the content was not read to its end.")

    def _advance(self) -> None:
        if not self._source.fill():
            raise BadInput(f"Line {self._number}: the body ends inside a file's content.")
        piece, self._closed_quote = self._source.upto_quote()
        self._encoded += piece
        if b"\\" in self._encoded:
            # JSON may spell `/` so, and some writers do; base64 needs no other escape.
            self._encoded = self._encoded.replace(b"\\/", b"/")
        whole = len(self._encoded)
        if not self._closed_quote:
            whole = (whole - self._encoded.endswith(b"\\")) // 4 * 4
        self._decoded = memoryview(self._decode(self._encoded[:whole]))
        self._encoded = self._encoded[whole:]

    def _decode(self, encoded: bytes) -> bytes:
        if not encoded:
            return b""
        if self._padded:
            raise BadInput(f"Line {self._number}: the content is not valid base64: it goes on after its end.")
        self._padded = encoded.endswith(b"=")
        try:
            return binascii.a2b_base64(encoded, strict_mode=True)
        except binascii.Error as error:
            raise BadInput(f"Line {self._number}: the content is not valid base64: {error}.") from None
