"""Which files are large objects."""

import pytest

from hubsite.hfapi.transfer import is_large


@pytest.mark.parametrize(
    ("path", "size", "large"),
    [
        ("adapter.safetensors", 1, True), ("adapter.SAFETENSORS", 1, True), ("sub/model.bin", 9, True),
        ("empty.bin", 0, False), ("data.jsonl", 10 * 1024**2, False), ("data.jsonl", 10 * 1024**2 + 1, True),
        ("README.md", 100, False), ("bin", 100, False),
    ],
)  # fmt: skip
def test_large_files(path: str, size: int, large: bool) -> None:
    assert is_large(path, size) is large
