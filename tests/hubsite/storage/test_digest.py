import hashlib
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubsite.storage.digest import copy_verified, pieces
from hubsite.storage.protocol import CHUNK, SizeMismatch


@given(st.binary(max_size=2000))
def test_what_is_copied_is_what_came_and_has_its_names(content: bytes) -> None:
    target = io.BytesIO()
    stored = copy_verified(io.BytesIO(content), target, size=len(content), sha256=None, limit=2000)
    assert target.getvalue() == content
    assert stored.sha256 == hashlib.sha256(content).hexdigest()
    assert stored.git_sha1 == hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()  # noqa: S324
    assert stored.size == len(content)


def test_no_piece_is_larger_than_a_chunk() -> None:
    content = bytes(2 * CHUNK + 5)
    assert [len(piece) for piece in pieces(io.BytesIO(content))] == [CHUNK, CHUNK, 5]


def test_no_more_is_read_than_was_announced_and_a_chunk() -> None:
    stream = io.BytesIO(bytes(10 * CHUNK))
    with pytest.raises(SizeMismatch):
        copy_verified(stream, io.BytesIO(), size=1, sha256=None, limit=20 * CHUNK)
    assert stream.tell() <= CHUNK
