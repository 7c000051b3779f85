import pytest

from hubsite.search.file_sizes import LABELS, size_class


@pytest.mark.parametrize(
    ("size", "slug"),
    [
        (0, "under-1mb"),
        (999_999, "under-1mb"),
        (1_000_000, "1-10mb"),
        (10_000_000, "10-100mb"),
        (100_000_000, "over-100mb"),
        (10**15, "over-100mb"),
    ],
)
def test_classes_meet_without_gap(size: int, slug: str) -> None:
    assert size_class(size) == slug
    assert slug in LABELS
