"""Classes of weights-file sizes, in decimal units as file managers show them."""

_MEGABYTE = 1_000_000

# Slug, label, and the size in bytes from which on the next class begins.
_CLASSES: tuple[tuple[str, str, float], ...] = (
    ("under-1mb", "under 1 MB", _MEGABYTE),
    ("1-10mb", "1 – 10 MB", 10 * _MEGABYTE),
    ("10-100mb", "10 – 100 MB", 100 * _MEGABYTE),
    ("over-100mb", "over 100 MB", float("inf")),
)

LABELS = {slug: label for slug, label, _ in _CLASSES}


def size_class(size: int) -> str:
    """The slug of the class that `size` bytes belong to."""
    return next(slug for slug, _, limit in _CLASSES if size < limit)
