import hashlib
from pathlib import Path

import pytest

from adapter_lib.hub.answers import AdapterFile
from adapter_lib.hub.errors import HubError, HubUnreachableError
from adapter_lib.hub.settings import Hub
from adapter_lib.hub.transfer import fetch, sha256_of, verify
from adapter_lib.spec.errors import LoadError
from tests.adapter_lib.hub.answering import answering, as_json


def test_files_are_compared_with_their_hashes(tmp_path: Path) -> None:
    blob = tmp_path / "blob"
    blob.write_bytes(b"good")
    (tmp_path / "snapshot").mkdir()
    link = tmp_path / "snapshot" / "a.bin"
    link.symlink_to(blob)
    file = AdapterFile("a.bin", hashlib.sha256(b"good").hexdigest(), 4)
    verify(link.parent, [file])
    assert sha256_of(link) == file.sha256
    blob.write_bytes(b"evil")
    with pytest.raises(LoadError, match=r"a\.bin is refused"):
        verify(link.parent, [file])
    # Nothing of it stays, so that the next load brings it again.
    assert not blob.exists()
    assert not link.is_symlink()
    with pytest.raises(LoadError, match="did not arrive"):
        verify(link.parent, [file])


def test_a_machine_that_is_offline(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    hub = Hub("http://127.0.0.1:1", None, cache)
    with pytest.raises(HubUnreachableError, match=r"alice/x@v1 is not complete on this machine"):
        fetch(hub, "alice/x", "v1", ["*"])


def test_a_server_that_answers_nonsense(cache: Path) -> None:
    with answering((200, b"<html>", {}), cache=cache) as server, pytest.raises(HubError, match="alice/x"):
        fetch(server.hub, "alice/x", "v1", ["*"])


def test_no_token_of_the_model_hub_is_sent(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    with answering(as_json({}, 404), cache=cache, token=None) as server, pytest.raises(HubError):
        fetch(server.hub, "alice/x", "v1", ["*"])
    assert server.requests
    assert all("authorization" not in headers for _, headers in server.requests)
