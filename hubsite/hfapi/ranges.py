"""The `Range` header: one range of bytes (RFC 9110 section 14; hf_protocol 3.5)."""

import re
from dataclasses import dataclass

# More digits than any file has; longer numbers are not ranges but attacks on int().
_ONE_RANGE = re.compile(r"\Abytes=(\d{0,18})-(\d{0,18})\Z")


@dataclass(frozen=True)
class ByteRange:
    """Bytes `start` up to and including `last` of a file of `total` bytes."""

    start: int
    last: int
    total: int

    @property
    def length(self) -> int:
        """Number of bytes in the range."""
        return self.last - self.start + 1

    @property
    def content_range(self) -> str:
        """Value of the `Content-Range` header of a 206."""
        return f"bytes {self.start}-{self.last}/{self.total}"


class UnsatisfiableRangeError(Exception):
    """The range begins past the end of the file: 416 with `Content-Range: bytes */total`."""

    def __init__(self, total: int) -> None:
        super().__init__(f"The range begins past the end of the file, which has {total} bytes.")
        self.total = total


def requested_range(header: str | None, if_range: str | None, *, etag: str, total: int) -> ByteRange | None:
    """The range to answer with 206, or None when the whole file is to be sent with 200.

    A header that is not one range in bytes is ignored, as RFC 9110 asks; so is a range whose `If-Range` names
    another version of the file. Raises `UnsatisfiableRangeError` for a range past the end.
    """
    if header is None or (if_range is not None and if_range.strip() != etag):
        return None
    match = _ONE_RANGE.match(header.replace(" ", "").lower())
    if match is None:
        return None
    first, last = match.groups()
    if first:
        return _from_start(int(first), last, total)
    return _suffix(int(last), total) if last else None


def _from_start(start: int, last: str, total: int) -> ByteRange | None:
    if last and int(last) < start:
        return None
    if start >= total:
        raise UnsatisfiableRangeError(total)
    return ByteRange(start, min(int(last), total - 1) if last else total - 1, total)


def _suffix(length: int, total: int) -> ByteRange:
    if length == 0 or total == 0:
        raise UnsatisfiableRangeError(total)
    return ByteRange(max(total - length, 0), total - 1, total)
