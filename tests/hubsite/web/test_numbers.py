"""Numbers as people read them."""

from datetime import UTC, datetime, timedelta

import pytest

from hubsite.web import numbers


@pytest.mark.parametrize(
    ("size", "said"),
    [(None, ""), (0, "0 B"), (999, "999 B"), (1000, "1 kB"), (1536, "1.5 kB"), (301_234, "301 kB"),
     (999_950, "1 MB"), (21_300_000, "21.3 MB"), (2 * 1024**3, "2.1 GB"), (10**16, "10000 TB")],
)  # fmt: skip
def test_file_size(size: int | None, said: str) -> None:
    assert numbers.file_size(size) == said


@pytest.mark.parametrize(
    ("value", "said"), [(0, "0"), (999, "999"), (1240, "1.2k"), (9820, "9.8k"), (1_203_000, "1.2M")]
)
def test_count(value: int, said: str) -> None:
    assert numbers.count(value) == said


@pytest.mark.parametrize(
    ("milliseconds", "said"),
    [(None, ""), (0, "0 ms"), (870, "870 ms"), (3460, "3.5 s"), (125_000, "2 min 5 s")],
)
def test_duration(milliseconds: int | None, said: str) -> None:
    assert numbers.duration(milliseconds) == said


@pytest.mark.parametrize(
    ("ago", "said"),
    [
        (timedelta(seconds=-5), "just now"),
        (timedelta(seconds=59), "just now"),
        (timedelta(minutes=1), "1 minute ago"),
        (timedelta(hours=5), "5 hours ago"),
        (timedelta(days=3), "3 days ago"),
        (timedelta(days=400), "1 year ago"),
    ],
)
def test_age(ago: timedelta, said: str) -> None:
    now = datetime(2026, 5, 1, tzinfo=UTC)
    assert numbers.age(now - ago, now) == said


def test_exact_keeps_every_digit() -> None:
    assert numbers.exact(73_728) == "73\u202f728"
