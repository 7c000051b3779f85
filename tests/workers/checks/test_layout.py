"""Step 1: files, sizes, names."""

from pathlib import Path

import pytest

from tests.workers.checks.hearing import case_of, hear
from workers.case import Policy
from workers.checks.layout import layout


def make(folder: Path, *names: str) -> Path:
    for name in ("adapter_config.json", "adapter.safetensors", *names):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"x" * 10)
    return folder


def test_the_two_files_of_an_adapter_are_enough(tmp_path: Path) -> None:
    heard = hear(layout, case_of(make(tmp_path)))
    assert heard.codes == []
    assert heard.logged == ["2 files, 20 bytes"]


def test_an_empty_commit_is_no_adapter(tmp_path: Path) -> None:
    assert hear(layout, case_of(tmp_path)).errors == ["layout.no_files"]


def test_each_missing_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("hello")
    assert hear(layout, case_of(tmp_path)).errors == ["layout.no_config", "layout.no_weights"]


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("a/b/c/deep.txt", "layout.too_deep"),
        ("späße.txt", "layout.bad_name"),
        ("what?.txt", "layout.bad_name"),
        ("-rf", "layout.bad_name"),
    ],
)
def test_odd_paths_are_refused(tmp_path: Path, name: str, code: str) -> None:
    assert hear(layout, case_of(make(tmp_path, name))).errors == [code]


@pytest.mark.parametrize("name", [".gitattributes", "README.md", "images/curve (1).png"])
def test_usual_paths_are_taken(tmp_path: Path, name: str) -> None:
    assert hear(layout, case_of(make(tmp_path, name))).errors == []


def test_number_and_size_are_limited(tmp_path: Path) -> None:
    heard = hear(layout, case_of(make(tmp_path, "README.md"), policy=Policy(max_files=2, max_size=25)))
    assert heard.errors == ["layout.too_many_files", "layout.too_large"]
    assert heard.found[0].detail == {"count": 3, "limit": 2}


def test_a_config_beyond_all_measure_is_refused_unread(tmp_path: Path) -> None:
    make(tmp_path)
    (tmp_path / "adapter_config.json").write_bytes(b" " * (1024**2 + 1))
    heard = hear(layout, case_of(tmp_path, policy=Policy(10, 10 * 1024**2)))
    assert heard.errors == ["layout.file_too_large"]
