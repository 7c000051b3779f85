"""The public hub, played by one of our own where it answers."""

from pathlib import Path

import pytest
from huggingface_hub import constants
from pytest_django.live_server_helper import LiveServer

from hubsite.launch.backbone.errors import BackboneUnavailable
from hubsite.launch.backbone.store import store
from hubsite.launch.backbone.upstream import download
from tests.hubsite.launch.backbone.made import CONTENT, recipe, write_folder


@pytest.fixture(autouse=True)
def _patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A site that has just been started may think longer than a public hub does."""
    monkeypatch.setattr("hubsite.launch.backbone.upstream._PATIENCE", 60.0)


@pytest.mark.django_db(transaction=True)
def test_takes_the_named_files(live_server: LiveServer, tmp_path: Path) -> None:
    store(recipe(), write_folder(tmp_path / "tiny"))
    download("makers/tiny", list(CONTENT), tmp_path / "got", endpoint=live_server.url)
    found = {path.name: path.read_bytes() for path in (tmp_path / "got").iterdir() if path.is_file()}
    assert found == CONTENT


@pytest.mark.django_db(transaction=True)
def test_a_model_that_is_not_there(live_server: LiveServer, tmp_path: Path) -> None:
    with pytest.raises(BackboneUnavailable, match="does not give it: HTTP Error 401: Unauthorized"):
        download("makers/absent", list(CONTENT), tmp_path, endpoint=live_server.url)


def test_offline_mode_is_heard(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    with pytest.raises(BackboneUnavailable, match="HF_HUB_OFFLINE forbids it"):
        download("makers/tiny", list(CONTENT), tmp_path)


def test_an_endpoint_that_is_no_web_address(tmp_path: Path) -> None:
    with pytest.raises(BackboneUnavailable, match="'file:///etc', which is no web address"):
        download("makers/tiny", list(CONTENT), tmp_path, endpoint="file:///etc")
