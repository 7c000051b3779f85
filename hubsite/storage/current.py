"""The blob store that the settings name."""

from functools import cache
from pathlib import Path

from django.conf import settings

from hubsite.storage.local import LocalBlobStore
from hubsite.storage.protocol import BlobStore


def blob_store() -> BlobStore:
    """A bucket where HUB_S3_BUCKET is set, else the folder `BLOB_DIR`."""
    if settings.S3_BUCKET:
        return _bucket(
            settings.S3_BUCKET, settings.S3_ENDPOINT_URL, settings.S3_REGION, Path(settings.BLOB_DIR)
        )
    return LocalBlobStore(Path(settings.BLOB_DIR))


@cache
def _bucket(bucket: str, endpoint_url: str, region: str, spool: Path) -> BlobStore:
    # boto3 is an extra, and dear to import; a client is made once and shared by threads.
    from hubsite.storage.s3 import S3BlobStore

    return S3BlobStore(bucket=bucket, endpoint_url=endpoint_url or None, region=region, spool=spool)
