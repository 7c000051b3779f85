"""All three stores, S3 against moto's own server."""

import uuid
from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest
from moto.server import ThreadedMotoServer

from hubsite.storage.local import LocalBlobStore
from hubsite.storage.memory import MemoryBlobStore
from hubsite.storage.protocol import BlobStore
from hubsite.storage.s3 import S3BlobStore

REGION = "us-east-1"


@pytest.fixture(scope="session")
def s3_address() -> Iterator[str]:
    """An S3 server of our own, on a free port."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ACCESS_KEY_ID", "tests")
        patch.setenv("AWS_SECRET_ACCESS_KEY", "tests")
        server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
        server.start()
        host, port = server.get_host_and_port()
        yield f"http://{host}:{port}"
        server.stop()


@pytest.fixture
def bucket(s3_address: str) -> str:
    """A new, empty bucket."""
    name = f"blobs-{uuid.uuid4().hex}"
    boto3.client("s3", endpoint_url=s3_address, region_name=REGION).create_bucket(Bucket=name)
    return name


@pytest.fixture
def s3_store(s3_address: str, bucket: str, tmp_path: Path) -> S3BlobStore:
    return S3BlobStore(bucket=bucket, endpoint_url=s3_address, region=REGION, spool=tmp_path / "spool")


@pytest.fixture(params=["local", "memory", "s3"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> BlobStore:
    if request.param == "s3":
        found: BlobStore = request.getfixturevalue("s3_store")
        return found
    return MemoryBlobStore() if request.param == "memory" else LocalBlobStore(tmp_path / "blobs")
