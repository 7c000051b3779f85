"""Faults of stores, as sentences."""

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hubsite.core.errors import BlobMissing, StorageError, StorageFull

_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


@contextmanager
def disk_faults(folder: Path) -> Iterator[None]:
    """Turn what the file system refuses below `folder` into StorageFull or StorageError."""
    try:
        yield
    except OSError as error:
        if error.errno in _FULL:
            raise StorageFull(
                f"The disk that holds {folder} is full; make room there or move the data folder."
            ) from error
        if error.errno in {errno.EACCES, errno.EPERM, errno.EROFS}:
            raise StorageError(
                f"The hub may not write to {folder} ({error.strerror}); give its user the right to."
            ) from error
        if error.errno in {errno.ENOTDIR, errno.EEXIST, errno.ENOENT, errno.EIO}:
            raise StorageError(
                f"{folder} cannot be used: {error.strerror}; check the data folder."
            ) from error
        # Anything else, such as a client that hung up while its bytes were read, is not the disk's.
        raise


def missing(sha256: str) -> BlobMissing:
    """The error for bytes that are not in the store."""
    return BlobMissing(f"The bytes of {sha256} are not in the blob store; restore them from a backup.")
