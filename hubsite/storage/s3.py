"""Blobs in an S3-compatible bucket. Needs the `s3` extra."""

import io
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO
from urllib.parse import quote

import boto3
from boto3.s3.transfer import TransferConfig
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from hubsite.core.errors import BlobMissing, StorageError
from hubsite.storage.digest import copy_verified
from hubsite.storage.faults import disk_faults, missing
from hubsite.storage.protocol import CHUNK, StoredBlob, check_name
from hubsite.storage.s3_stream import S3Stream

_ABSENT = {"404", "NoSuchKey", "NotFound"}
# Seconds for which a pre-signed address works.
_SIGNED_FOR = 15 * 60
# Larger blobs go up in parts, each with its own checksum, one at a time: memory stays constant.
_TRANSFER = TransferConfig(multipart_threshold=64 * CHUNK, multipart_chunksize=64 * CHUNK, use_threads=False)


class S3BlobStore:
    """Objects `blobs/ab/<sha256>`; uploads are spooled to this disk and verified before they are sent."""

    def __init__(self, *, bucket: str, endpoint_url: str | None, region: str, spool: Path) -> None:
        self._bucket = bucket
        self._spool = spool
        self._client: Any = boto3.client(
            "s3",
            endpoint_url=endpoint_url,
            region_name=region,
            config=Config(
                retries={"mode": "standard", "max_attempts": 4}, connect_timeout=5, read_timeout=60
            ),
        )

    def put(self, stream: BinaryIO, *, size: int | None, sha256: str | None, limit: int) -> StoredBlob:
        """See BlobStore.put. S3 shows an object only when all of it came and fits its checksums."""
        with disk_faults(self._spool):
            self._spool.mkdir(parents=True, exist_ok=True)
            file = tempfile.TemporaryFile(dir=self._spool)  # noqa: SIM115 - closed by the `with` that follows
        with file:
            with disk_faults(self._spool):
                stored = copy_verified(stream, file, size=size, sha256=sha256, limit=limit)
            if not self.exists(stored.sha256):
                file.seek(0)
                with self._faults(stored.sha256):
                    self._client.upload_fileobj(
                        file,
                        self._bucket,
                        _key(stored.sha256),
                        ExtraArgs={"ChecksumAlgorithm": "SHA256"},
                        Config=_TRANSFER,
                    )
        return stored

    def open(self, sha256: str) -> BinaryIO:
        """See BlobStore.open. Reads ahead by one CHUNK."""
        raw = S3Stream(lambda start, length: b"".join(self._range(sha256, start, length)), self.size(sha256))
        return io.BufferedReader(raw, CHUNK)

    def open_range(self, sha256: str, start: int, length: int) -> Iterator[bytes]:
        """See BlobStore.open_range."""
        length = min(length, self.size(sha256) - start)
        return self._range(sha256, start, length) if length > 0 else iter(())

    def exists(self, sha256: str) -> bool:
        """See BlobStore.exists."""
        return self._head(sha256) is not None

    def size(self, sha256: str) -> int:
        """See BlobStore.size."""
        head = self._head(sha256)
        if head is None:
            raise missing(sha256)
        return int(head["ContentLength"])

    def local_path(self, sha256: str) -> Path | None:
        """None: the bytes are elsewhere."""
        return None

    def fetch_to(self, sha256: str, path: Path) -> None:
        """See BlobStore.fetch_to."""
        unfinished = path.with_name(f"{path.name}.unfinished")
        with disk_faults(path.parent), unfinished.open("wb") as target:
            for piece in self.open_range(sha256, 0, self.size(sha256)):
                target.write(piece)
        unfinished.replace(path)

    def presigned_get(self, sha256: str, filename: str) -> str | None:
        """See BlobStore.presigned_get; works for a quarter of an hour."""
        disposition = f"attachment; filename*=UTF-8''{quote(filename, safe='')}"
        address = self._client.generate_presigned_url(
            "get_object",
            Params={
                "Bucket": self._bucket,
                "Key": _key(sha256),
                "ResponseContentDisposition": disposition,
                "ResponseContentType": "application/octet-stream",
            },
            ExpiresIn=_SIGNED_FOR,
        )
        return str(address)

    def _head(self, sha256: str) -> dict[str, Any] | None:
        try:
            with self._faults(sha256):
                answer: dict[str, Any] = self._client.head_object(Bucket=self._bucket, Key=_key(sha256))
        except BlobMissing:
            return None
        return answer

    def _range(self, sha256: str, start: int, length: int) -> Iterator[bytes]:
        """Asks at once; the bytes come as they are taken."""
        with self._faults(sha256):
            answer = self._client.get_object(
                Bucket=self._bucket, Key=_key(sha256), Range=f"bytes={start}-{start + length - 1}"
            )
        return self._body(sha256, answer["Body"])

    def _body(self, sha256: str, body: Any) -> Iterator[bytes]:
        with self._faults(sha256), body:
            yield from body.iter_chunks(CHUNK)

    @contextmanager
    def _faults(self, sha256: str) -> Iterator[None]:
        """Turn what the bucket answers into BlobMissing or StorageError."""
        try:
            yield
        except ClientError as error:
            code = str(error.response.get("Error", {}).get("Code", ""))
            if code in _ABSENT:
                raise missing(sha256) from error
            raise StorageError(
                f"The bucket {self._bucket} refused ({code}); check HUB_S3_BUCKET and its credentials."
            ) from error
        except BotoCoreError as error:
            raise StorageError(f"The bucket {self._bucket} cannot be reached: {error}") from error


def _key(sha256: str) -> str:
    check_name(sha256)
    return f"blobs/{sha256[:2]}/{sha256}"
