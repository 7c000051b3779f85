import errno
import io
import os
import resource
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import pytest

from hubsite.core.errors import StorageError, StorageFull
from hubsite.storage.local import LocalBlobStore
from hubsite.storage.protocol import CHUNK, HashMismatch


class BrokenStream(io.RawIOBase):
    """Fails while it is read, as a client does that hangs up."""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: object) -> int:
        raise ConnectionResetError(errno.ECONNRESET, "Connection reset by peer")


def files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "blobs"


def put(root: Path, stream: BinaryIO, sha256: str | None = None) -> str:
    return LocalBlobStore(root).put(stream, size=None, sha256=sha256, limit=100 * CHUNK).sha256


def test_nothing_is_left_of_a_refused_upload(root: Path) -> None:
    with pytest.raises(HashMismatch):
        put(root, io.BytesIO(b"x"), sha256="0" * 64)
    assert files(root) == []


def test_nothing_is_left_of_a_client_that_hung_up(root: Path) -> None:
    with pytest.raises(ConnectionResetError):
        put(root, io.BufferedReader(BrokenStream()))
    assert files(root) == []


def test_a_blob_is_never_written_over(root: Path) -> None:
    name = put(root, io.BytesIO(b"x"))
    path = LocalBlobStore(root).local_path(name)
    assert path is not None
    before = path.stat()
    put(root, io.BytesIO(b"x"))
    assert path.stat().st_ino == before.st_ino
    assert files(root) == [path]
    assert not before.st_mode & 0o222


def test_many_writers_of_one_blob(root: Path) -> None:
    content = os.urandom(CHUNK)
    threads = [threading.Thread(target=put, args=(root, io.BytesIO(content))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [path.read_bytes() for path in files(root)] == [content]


def test_a_full_disk_is_one_sentence(root: Path) -> None:
    """A limit on file sizes gives the same kind of error as a full disk: EFBIG instead of ENOSPC."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (CHUNK, hard))
    try:
        with pytest.raises(StorageFull, match=f"{root} is full; make room"):
            put(root, io.BytesIO(bytes(3 * CHUNK)))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert files(root) == []


def test_a_folder_that_is_a_file_is_one_sentence(root: Path) -> None:
    root.write_text("in the way")
    with pytest.raises(StorageError, match="cannot be used"):
        put(root, io.BytesIO(b"x"))


@pytest.fixture
def nobody() -> Iterator[None]:
    """Run as a user without rights where the tests run as root, who may write everywhere."""
    user = os.geteuid()
    if user == 0:
        os.seteuid(65534)
    yield
    os.seteuid(user)


def test_a_folder_without_write_right_is_one_sentence(tmp_path: Path, nobody: None) -> None:
    root = tmp_path if os.getuid() == 0 else Path("/")
    with pytest.raises(StorageError, match="may not write"):
        put(root / "blobs", io.BytesIO(b"x"))


def test_memory_does_not_grow_with_the_blob(root: Path) -> None:
    """64 MiB go through while the process's peak grows by a few MiB."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

    class Zeros(io.RawIOBase):
        left = 64 * CHUNK

        def readable(self) -> bool:
            return True

        def readinto(self, buffer: bytearray) -> int:  # type: ignore[override]
            count = min(len(buffer), self.left)
            self.left -= count
            return count

    name = put(root, io.BufferedReader(Zeros()))
    for piece in LocalBlobStore(root).open_range(name, 0, 64 * CHUNK):
        assert len(piece) <= CHUNK
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - peak < 24 * 1024
