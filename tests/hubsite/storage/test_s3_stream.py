import io
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubsite.storage.s3_stream import S3Stream

CONTENT = bytes(range(256))


def stream(buffer: int = 16) -> io.BufferedReader:
    return io.BufferedReader(S3Stream(lambda start, length: CONTENT[start : start + length], 256), buffer)


@given(st.lists(st.tuples(st.integers(0, 300), st.integers(0, 300)), max_size=10))
def test_it_reads_like_any_file(moves: Sequence[tuple[int, int]]) -> None:
    ours, model = stream(), io.BytesIO(CONTENT)
    for place, count in moves:
        assert ours.seek(place) == model.seek(place)
        assert ours.read(count) == model.read(count)
        assert ours.tell() == model.tell()


def test_it_asks_for_no_more_than_there_is() -> None:
    asked: list[tuple[int, int]] = []

    def read(start: int, length: int) -> bytes:
        asked.append((start, length))
        return CONTENT[start : start + length]

    found = io.BufferedReader(S3Stream(read, 256), 100)
    assert found.read() == CONTENT
    assert all(length > 0 and start + length <= 256 for start, length in asked)


def test_nothing_is_before_the_start() -> None:
    with pytest.raises(ValueError, match="before its start"):
        S3Stream(lambda start, length: b"", 0).seek(-1)
