"""Blobs in a folder on this machine."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

from hubsite.storage.digest import copy_verified
from hubsite.storage.faults import disk_faults, missing
from hubsite.storage.protocol import CHUNK, StoredBlob, check_name


class LocalBlobStore:
    """`root/ab/cd/<sha256>`, read-only files; uploads in `root/incoming` until they are verified."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._incoming = root / "incoming"

    def put(self, stream: BinaryIO, *, size: int | None, sha256: str | None, limit: int) -> StoredBlob:
        """See BlobStore.put. The temporary file shares the blobs' file system: showing it is one step."""
        with disk_faults(self._root):
            self._incoming.mkdir(parents=True, exist_ok=True)
            handle, name = tempfile.mkstemp(dir=self._incoming)
        temporary = Path(name)
        try:
            with disk_faults(self._root), os.fdopen(handle, "w+b") as file:
                stored = copy_verified(stream, file, size=size, sha256=sha256, limit=limit)
                file.flush()
                os.fchmod(file.fileno(), 0o444)
                os.fsync(file.fileno())
            with disk_faults(self._root):
                self._show(temporary, stored.sha256)
        finally:
            temporary.unlink(missing_ok=True)
        return stored

    def open(self, sha256: str) -> BinaryIO:
        """See BlobStore.open."""
        try:
            return self._path(sha256).open("rb")
        except FileNotFoundError:
            raise missing(sha256) from None

    def open_range(self, sha256: str, start: int, length: int) -> Iterator[bytes]:
        """See BlobStore.open_range."""
        file = self.open(sha256)
        file.seek(start)
        return _read(file, length)

    def exists(self, sha256: str) -> bool:
        """See BlobStore.exists."""
        return self._path(sha256).exists()

    def size(self, sha256: str) -> int:
        """See BlobStore.size."""
        try:
            return self._path(sha256).stat().st_size
        except FileNotFoundError:
            raise missing(sha256) from None

    def local_path(self, sha256: str) -> Path | None:
        """See BlobStore.local_path."""
        path = self._path(sha256)
        return path if path.exists() else None

    def fetch_to(self, sha256: str, path: Path) -> None:
        """See BlobStore.fetch_to."""
        unfinished = path.with_name(f"{path.name}.unfinished")
        with self.open(sha256) as source, disk_faults(path.parent), unfinished.open("wb") as target:
            shutil.copyfileobj(source, target, CHUNK)
        unfinished.replace(path)

    def presigned_get(self, sha256: str, filename: str) -> str | None:
        """None: the site serves local bytes itself."""
        return None

    def _path(self, sha256: str) -> Path:
        check_name(sha256)
        return self._root / sha256[:2] / sha256[2:4] / sha256

    def _show(self, temporary: Path, sha256: str) -> None:
        """Make a verified file visible; where an equal one is already, that one stays."""
        path = self._path(sha256)
        path.parent.mkdir(parents=True, exist_ok=True)
        with suppress(FileExistsError):
            try:
                os.link(temporary, path)
            except PermissionError:  # a file system without hard links: renaming is as atomic
                temporary.rename(path)
        _sync_folder(path.parent)


def _read(file: BinaryIO, length: int) -> Iterator[bytes]:
    with file:
        while length > 0 and (piece := file.read(min(CHUNK, length))):
            length -= len(piece)
            yield piece


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
