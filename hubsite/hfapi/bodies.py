"""Request bodies: lengths, limits, and reading without keeping.

`request.body` is never used here: it is bound to DATA_UPLOAD_MAX_MEMORY_SIZE and keeps everything in memory.
"""

from collections.abc import Callable

from django.http import HttpRequest, UnreadablePostError

from hubsite.core.errors import BadInput, TooLarge
from hubsite.hfapi.errors import LengthRequired

CHUNK_BYTES = 1024 * 1024
# A JSON body names files and sizes; 256 preupload entries with their samples are about 250 kB.
MAX_JSON_BYTES = 4 * 1024 * 1024
_MAX_DRAIN_BYTES = 1024 * 1024 * 1024


def require_length(request: HttpRequest) -> None:
    """Refuses bodies without a length.

    Raises `LengthRequired`: a chunked body would read as empty under WSGI.
    """
    if request.headers.get("Transfer-Encoding"):
        raise LengthRequired("Send the body with a Content-Length instead of Transfer-Encoding.")


def content_length(request: HttpRequest) -> int:
    """The declared size of the body in bytes. Raises `BadInput` unless it is a whole number."""
    declared = request.headers.get("Content-Length") or "0"
    if not (declared.isascii() and declared.isdigit() and len(declared) <= 18):
        raise BadInput("The Content-Length header is not a whole number.")
    return int(declared)


def reader_of(request: HttpRequest) -> Callable[[int], bytes]:
    """`request.read`, with a broken connection as `BadInput`: a blob store would blame its disk."""

    def read(size: int) -> bytes:
        try:
            return request.read(size)
        except UnreadablePostError:
            raise BadInput("The connection broke off inside the request body.") from None

    return read


def read_body(request: HttpRequest, *, limit: int = MAX_JSON_BYTES) -> bytes:
    """The whole body, which may have at most `limit` bytes.

    Raises `TooLarge`, or `BadInput` if it was cut short.
    """
    length = content_length(request)
    if length > limit:
        raise TooLarge(f"The request body has {length} bytes; at most {limit} are taken here.")
    read = reader_of(request)
    parts: list[bytes] = []
    missing = length
    while missing and (part := read(min(missing, CHUNK_BYTES))):
        parts.append(part)
        missing -= len(part)
    if missing:
        raise BadInput(f"The request body ended {missing} bytes before its Content-Length.")
    return b"".join(parts)


def drain(request: HttpRequest) -> None:
    """Reads what is left of a refused body, unless it is very large or its length is not known.

    A server that closes a connection with unread bytes resets it, and the client never sees the answer.
    """
    try:
        if content_length(request) <= _MAX_DRAIN_BYTES:
            while request.read(CHUNK_BYTES):
                pass
    except (BadInput, UnreadablePostError):
        return  # the answer stands; the client may be gone
