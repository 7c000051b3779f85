"""Blobs in memory: the twin for tests, held to the same contract as the real stores."""

import io
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from hubsite.storage.digest import copy_verified, pieces
from hubsite.storage.faults import missing
from hubsite.storage.protocol import StoredBlob, check_name


class MemoryBlobStore:
    """A dictionary of blobs."""

    def __init__(self) -> None:
        self._blobs: dict[str, bytes] = {}

    def put(self, stream: BinaryIO, *, size: int | None, sha256: str | None, limit: int) -> StoredBlob:
        """See BlobStore.put."""
        with tempfile.TemporaryFile() as file:
            stored = copy_verified(stream, file, size=size, sha256=sha256, limit=limit)
            file.seek(0)
            self._blobs.setdefault(stored.sha256, file.read())
        return stored

    def open(self, sha256: str) -> BinaryIO:
        """See BlobStore.open."""
        return io.BytesIO(self._get(sha256))

    def open_range(self, sha256: str, start: int, length: int) -> Iterator[bytes]:
        """See BlobStore.open_range."""
        return pieces(io.BytesIO(self._get(sha256)[start : start + length]))

    def exists(self, sha256: str) -> bool:
        """See BlobStore.exists."""
        check_name(sha256)
        return sha256 in self._blobs

    def size(self, sha256: str) -> int:
        """See BlobStore.size."""
        return len(self._get(sha256))

    def local_path(self, sha256: str) -> Path | None:
        """None: these blobs are no files."""
        return None

    def fetch_to(self, sha256: str, path: Path) -> None:
        """See BlobStore.fetch_to."""
        path.write_bytes(self._get(sha256))

    def presigned_get(self, sha256: str, filename: str) -> str | None:
        """None: nobody can reach this memory."""
        return None

    def _get(self, sha256: str) -> bytes:
        check_name(sha256)
        try:
            return self._blobs[sha256]
        except KeyError:
            raise missing(sha256) from None
