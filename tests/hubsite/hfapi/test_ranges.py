import pytest

from hubsite.hfapi.ranges import ByteRange, UnsatisfiableRangeError, requested_range

ETAG = '"abc"'


@pytest.mark.parametrize(
    ("header", "start", "last"),
    [
        ("bytes=0-9", 0, 9),
        ("bytes=90-", 90, 99),
        ("bytes=-10", 90, 99),
        ("bytes=-1000", 0, 99),
        ("bytes=50-1000", 50, 99),
        ("Bytes = 3-3", 3, 3),
        ("bytes=10485760-", None, None),
    ],
)
def test_one_range(header: str, start: int | None, last: int | None) -> None:
    if start is None or last is None:
        with pytest.raises(UnsatisfiableRangeError) as caught:
            requested_range(header, None, etag=ETAG, total=100)
        assert caught.value.total == 100
    else:
        assert requested_range(header, None, etag=ETAG, total=100) == ByteRange(start, last, 100)


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "items=0-1",
        "bytes=",
        "bytes=-",
        "bytes=5-2",
        "bytes=0-1,3-4",
        "bytes=a-b",
        "bytes=" + "9" * 30 + "-",
    ],
)
def test_what_is_not_one_range_is_ignored(header: str | None) -> None:
    assert requested_range(header, None, etag=ETAG, total=100) is None


def test_if_range_must_name_this_version() -> None:
    assert requested_range("bytes=0-9", ETAG, etag=ETAG, total=100) == ByteRange(0, 9, 100)
    assert requested_range("bytes=0-9", '"other"', etag=ETAG, total=100) is None


@pytest.mark.parametrize("header", ["bytes=0-", "bytes=-5", "bytes=-0"])
def test_an_empty_file_has_no_ranges(header: str) -> None:
    with pytest.raises(UnsatisfiableRangeError):
        requested_range(header, None, etag=ETAG, total=0)


def test_lengths() -> None:
    part = ByteRange(10, 19, 100)
    assert part.length == 10
    assert part.content_range == "bytes 10-19/100"
