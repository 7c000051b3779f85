"""Bytes that come in."""

from typing import BinaryIO

from django.conf import settings

from hubsite.registry.models import Blob
from hubsite.storage.current import blob_store


def store_blob(
    stream: BinaryIO, *, size: int | None, sha256: str | None = None, limit: int | None = None
) -> Blob:
    """Store what `stream` holds and its row; equal bytes share one blob.

    Raises what BlobStore.put raises. `limit` in bytes, MAX_FILE_SIZE if None.
    """
    stored = blob_store().put(
        stream, size=size, sha256=sha256, limit=settings.MAX_FILE_SIZE if limit is None else limit
    )
    blob, _ = Blob.objects.get_or_create(
        sha256=stored.sha256, defaults={"git_sha1": stored.git_sha1, "size": stored.size}
    )
    return blob
