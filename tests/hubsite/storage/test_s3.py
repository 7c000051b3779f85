import hashlib
import io
import urllib.request
from pathlib import Path

import pytest
from pytest_django import Settings

from hubsite.core.errors import StorageError
from hubsite.storage.current import blob_store
from hubsite.storage.local import LocalBlobStore
from hubsite.storage.protocol import CHUNK
from hubsite.storage.s3 import S3BlobStore
from tests.hubsite.storage.conftest import REGION


def test_a_signed_address_serves_the_blob_under_its_file_name(s3_store: S3BlobStore) -> None:
    stored = s3_store.put(io.BytesIO(b"signed"), size=6, sha256=None, limit=10)
    address = s3_store.presigned_get(stored.sha256, "adapter ä.safetensors")
    assert address is not None
    with urllib.request.urlopen(address) as answer:  # noqa: S310 - our own server
        assert answer.read() == b"signed"
        assert "adapter%20%C3%A4.safetensors" in answer.headers["Content-Disposition"]


def test_large_blobs_go_up_in_parts(s3_store: S3BlobStore) -> None:
    content = bytes(range(256)) * (65 * CHUNK // 256)
    stored = s3_store.put(io.BytesIO(content), size=len(content), sha256=None, limit=len(content))
    assert stored.sha256 == hashlib.sha256(content).hexdigest()
    assert b"".join(s3_store.open_range(stored.sha256, 64 * CHUNK, 7)) == content[64 * CHUNK :][:7]


def test_a_missing_bucket_is_one_sentence(s3_address: str, tmp_path: Path) -> None:
    store = S3BlobStore(bucket="nowhere", endpoint_url=s3_address, region=REGION, spool=tmp_path)
    with pytest.raises(StorageError, match="HUB_S3_BUCKET"):
        store.put(io.BytesIO(b"x"), size=1, sha256=None, limit=1)


def test_an_unreachable_server_is_one_sentence(s3_address: str, tmp_path: Path) -> None:
    store = S3BlobStore(bucket="any", endpoint_url="http://127.0.0.1:9", region=REGION, spool=tmp_path)
    with pytest.raises(StorageError, match="cannot be reached"):
        store.exists("0" * 64)


def test_the_settings_choose_the_store(settings: Settings, s3_address: str, bucket: str) -> None:
    assert isinstance(blob_store(), LocalBlobStore)
    settings.S3_BUCKET, settings.S3_ENDPOINT_URL = bucket, s3_address
    assert isinstance(blob_store(), S3BlobStore)
    assert blob_store() is blob_store()
