"""Stored bytes as an answer."""

from django.http import HttpResponseBase, StreamingHttpResponse

from hubsite.hfapi.ranges import ByteRange
from hubsite.storage.current import blob_store


def stream_blob(sha256: str, size: int, part: ByteRange | None = None) -> HttpResponseBase:
    """200 with the whole blob of `size` bytes, or 206 with a part of it. Raises `BlobMissing`."""
    start, length = (part.start, part.length) if part else (0, size)
    response = StreamingHttpResponse(
        blob_store().open_range(sha256, start, length),
        status=206 if part else 200,
        content_type="application/octet-stream",
    )
    response["Content-Length"] = str(length)
    if part:
        response["Content-Range"] = part.content_range
    return response
