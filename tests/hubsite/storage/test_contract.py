"""What every blob store must do, on all of them."""

import hashlib
import io
from pathlib import Path

import pytest

from hubsite.core.errors import BadInput, BlobMissing, TooLarge
from hubsite.storage.protocol import CHUNK, BlobStore, HashMismatch, SizeMismatch, StoredBlob

CONTENT = b"adapters are small"
SHA256 = hashlib.sha256(CONTENT).hexdigest()
# `printf 'adapters are small' | git hash-object --stdin`
GIT_SHA1 = hashlib.sha1(b"blob 18\0" + CONTENT).hexdigest()  # noqa: S324
ABSENT = "0" * 64


def put(store: BlobStore, content: bytes = CONTENT, *, limit: int = 10 * CHUNK) -> StoredBlob:
    return store.put(io.BytesIO(content), size=len(content), sha256=None, limit=limit)


def test_a_blob_comes_back_under_both_names(store: BlobStore) -> None:
    stored = store.put(io.BytesIO(CONTENT), size=None, sha256=SHA256, limit=100)
    assert stored == StoredBlob(SHA256, GIT_SHA1, len(CONTENT))
    assert store.exists(SHA256)
    assert store.size(SHA256) == len(CONTENT)
    with store.open(SHA256) as stream:
        assert stream.read() == CONTENT


def test_an_empty_blob_is_a_blob(store: BlobStore) -> None:
    stored = put(store, b"")
    assert stored.git_sha1 == "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391"
    with store.open(stored.sha256) as stream:
        assert stream.read() == b""
    assert list(store.open_range(stored.sha256, 0, 10)) == []


def test_storing_again_is_no_fault(store: BlobStore) -> None:
    assert put(store) == put(store)


@pytest.mark.parametrize(
    ("start", "length", "expected"),
    [(0, 8, b"adapters"), (9, 3, b"are"), (13, 100, b"small"), (18, 5, b""), (40, 5, b""), (3, 0, b"")],
)
def test_ranges(store: BlobStore, start: int, length: int, expected: bytes) -> None:
    put(store)
    assert b"".join(store.open_range(SHA256, start, length)) == expected


def test_a_stream_can_be_moved_in(store: BlobStore) -> None:
    put(store)
    with store.open(SHA256) as stream:
        assert stream.seekable()
        assert stream.seek(-5, io.SEEK_END) == 13
        assert stream.read() == b"small"
        stream.seek(4)
        stream.seek(5, io.SEEK_CUR)
        assert stream.read(3) == b"are"
        assert stream.tell() == 12


def test_more_than_a_chunk(store: BlobStore) -> None:
    content = bytes(range(256)) * (CHUNK // 100)
    stored = put(store, content)
    assert b"".join(store.open_range(stored.sha256, 1, len(content))) == content[1:]
    with store.open(stored.sha256) as stream:
        assert hashlib.sha256(stream.read()).hexdigest() == stored.sha256


def test_other_bytes_than_announced_are_refused(store: BlobStore) -> None:
    with pytest.raises(HashMismatch, match=SHA256):
        store.put(io.BytesIO(b"something else"), size=None, sha256=SHA256, limit=100)
    assert not store.exists(SHA256)


@pytest.mark.parametrize("size", [len(CONTENT) - 1, len(CONTENT) + 1])
def test_another_size_than_announced_is_refused(store: BlobStore, size: int) -> None:
    with pytest.raises(SizeMismatch):
        store.put(io.BytesIO(CONTENT), size=size, sha256=SHA256, limit=100)
    assert not store.exists(SHA256)


@pytest.mark.parametrize("size", [None, len(CONTENT)])
def test_too_much_is_refused(store: BlobStore, size: int | None) -> None:
    with pytest.raises(TooLarge, match="17 bytes"):
        store.put(io.BytesIO(CONTENT), size=size, sha256=None, limit=17)
    assert not store.exists(SHA256)


def test_what_is_not_there(store: BlobStore, tmp_path: Path) -> None:
    assert not store.exists(ABSENT)
    for ask in (store.open, store.size, lambda name: store.open_range(name, 0, 1)):
        with pytest.raises(BlobMissing, match=ABSENT):
            ask(ABSENT)
    with pytest.raises(BlobMissing):
        store.fetch_to(ABSENT, tmp_path / "copy")
    assert not (tmp_path / "copy").exists()


@pytest.mark.parametrize("name", ["", "../../etc/passwd", "A" * 64, "0" * 63, "0" * 64 + "\n"])
def test_a_name_that_is_no_hash_is_refused(store: BlobStore, name: str) -> None:
    with pytest.raises(BadInput, match="64 lower-case"):
        store.exists(name)


def test_fetching_to_a_file(store: BlobStore, tmp_path: Path) -> None:
    put(store)
    store.fetch_to(SHA256, tmp_path / "copy")
    assert (tmp_path / "copy").read_bytes() == CONTENT
    assert not (tmp_path / "copy.unfinished").exists()


def test_a_local_path_holds_the_bytes_if_there_is_one(store: BlobStore) -> None:
    put(store)
    path = store.local_path(SHA256)
    assert path is None or path.read_bytes() == CONTENT
    assert store.local_path(ABSENT) is None
