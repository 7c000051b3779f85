"""What the hub asks of a store for bytes. A blob is named by the SHA-256 of its content."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Protocol

from hubsite.core.errors import BadInput

# How many bytes are held in memory at a time, whatever a blob's size.
CHUNK = 1024 * 1024
_NAME = re.compile(r"[0-9a-f]{64}")


class HashMismatch(BadInput):
    """The bytes that came are not the bytes that were announced."""


class SizeMismatch(BadInput):
    """More or fewer bytes came than were announced."""


def check_name(sha256: str) -> None:
    """Raise BadInput unless it is a SHA-256 in lower-case hex: names become file names and object keys."""
    if not _NAME.fullmatch(sha256):
        raise BadInput(f"{sha256[:80]!r} is not a SHA-256; write 64 lower-case hexadecimal digits.")


@dataclass(frozen=True)
class StoredBlob:
    """Both names of a blob (hf_protocol 3.4) and its size in bytes."""

    sha256: str
    git_sha1: str
    size: int


class BlobStore(Protocol):
    """Bytes by hash: written once, verified before they are visible, never overwritten."""

    def put(self, stream: BinaryIO, *, size: int | None, sha256: str | None, limit: int) -> StoredBlob:
        """Store what `stream` holds, up to `limit` bytes.

        Raises HashMismatch or SizeMismatch where the bytes are not what `sha256` and `size` say, TooLarge
        beyond `limit`, StorageFull where no room is left; nothing is visible then.
        """
        ...

    def open(self, sha256: str) -> BinaryIO:
        """A seekable stream over the blob. Raises BlobMissing."""
        ...

    def open_range(self, sha256: str, start: int, length: int) -> Iterator[bytes]:
        """`length` bytes from `start`, in pieces; fewer where the blob ends. Raises BlobMissing at once."""
        ...

    def exists(self, sha256: str) -> bool:
        """Whether the blob is here, whole."""
        ...

    def size(self, sha256: str) -> int:
        """The blob's size in bytes. Raises BlobMissing."""
        ...

    def local_path(self, sha256: str) -> Path | None:
        """Where the blob lies on this machine, for readers only; None where it does not."""
        ...

    def fetch_to(self, sha256: str, path: Path) -> None:
        """Write the blob to `path`, which appears whole or not at all. Raises BlobMissing."""
        ...

    def presigned_get(self, sha256: str, filename: str) -> str | None:
        """A short-lived address that serves the blob as `filename`, or None where there is no such thing."""
        ...
