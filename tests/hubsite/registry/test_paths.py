import pytest

from hubsite.core.errors import BadInput
from hubsite.registry.paths import check_no_file_is_folder, check_path, parents


@pytest.mark.parametrize(
    "path",
    ["README.md", "a/b/c.txt", "ä/enc%20oded name.txt", ".gitattributes", "a/.github/x", "-", "x" * 255],
)
def test_paths_that_are_taken(path: str) -> None:
    assert check_path(path) == path


@pytest.mark.parametrize(
    "path",
    [
        "", "/a", "a/", "a//b", "..", "a/../b", "./a", "a/.", "a\0b", "a\nb", "a\x7f", "\u202ea",
        "\ud800", "a\\b", ".git/config", "sub/.GIT/hooks", "x" * 256, "ä" * 128, "a/" * 256 + "b",
    ],
)  # fmt: skip
def test_paths_that_are_refused(path: str) -> None:
    with pytest.raises(BadInput, match="The path"):
        check_path(path)


def test_the_folders_above() -> None:
    assert parents("a/b/c") == ["a", "a/b"]
    assert parents("a") == []


def test_no_path_is_file_and_folder() -> None:
    check_no_file_is_folder(["a/b", "a/c", "ab"])
    with pytest.raises(BadInput, match="a cannot be a file and, for a/b, a folder"):
        check_no_file_is_folder(["a", "a/b"])
