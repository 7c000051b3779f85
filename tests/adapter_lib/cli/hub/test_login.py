"""`login` and `logout`: a token is asked about, kept for its hub alone, and forgotten."""

import stat
from pathlib import Path

import pytest

from adapter_lib.hub.settings import hub_settings
from adapter_lib.hub.tokens import keep_token, kept_token
from adapter_lib.spec.errors import LoadError
from tests.adapter_lib.cli.running import call, refused
from tests.adapter_lib.hub.conftest import HubWithBackbone


def test_a_token_is_kept_for_its_hub_alone(hub: HubWithBackbone) -> None:
    done = call("login", "--token", hub.token, "--json")
    assert done.code == 0, done.stderr
    found = done.document
    assert (found["user"], found["endpoint"], found["scope"]) == ("alice", hub.endpoint, "write")
    assert hub.token not in done.stdout + done.stderr
    path = Path(found["file"])
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert hub_settings(hub.endpoint).token == hub.token
    assert hub_settings("http://127.0.0.1:1").token is None
    assert call("logout", "--json").document == {"endpoint": hub.endpoint, "forgotten": True}
    assert not path.exists()
    assert hub_settings(hub.endpoint).token is None
    assert "There was none" in call("logout").stdout


def test_what_is_given_stands_before_what_is_kept(
    hub: HubWithBackbone, monkeypatch: pytest.MonkeyPatch
) -> None:
    call("login", "--token", hub.token)
    assert hub_settings(None, "ahub_given").token == "ahub_given"
    monkeypatch.setenv("ADAPTER_HUB_TOKEN", "ahub_env")
    assert hub_settings().token == "ahub_env"


def test_a_token_may_be_piped_in(hub: HubWithBackbone) -> None:
    assert call("login", stdin=f"{hub.token}\n").code == 0
    assert hub_settings().token == hub.token


def test_a_wrong_token_is_not_kept(hub: HubWithBackbone) -> None:
    assert refused("login", "--token", "ahub_wrong").endswith(f"make one at {hub.endpoint}/tokens.")
    assert "No token was given" in refused("login")
    assert hub_settings().token is None


def test_without_a_hub_it_is_a_code_of_its_own() -> None:
    done = call("login", "--token", "ahub_x", "--endpoint", "http://127.0.0.1:1", "--json")
    assert done.code == 4
    assert done.document["error"].startswith("No hub answers at http://127.0.0.1:1")


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(LoadError, match="could not be written"):
        keep_token(tmp_path / "file", "ahub_x")
    assert kept_token(tmp_path / "file") is None
    (tmp_path / "token").write_bytes(b"\xff\xfe")
    assert kept_token(tmp_path) is None
