from pathlib import Path

import pytest

from adapter_lib.hub.errors import HubError
from adapter_lib.hub.settings import hub_settings


@pytest.fixture(autouse=True)
def _nothing_stored(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("ADAPTER_HUB_ENDPOINT", "ADAPTER_HUB_TOKEN", "HF_TOKEN", "HUGGING_FACE_HUB_TOKEN"):
        monkeypatch.delenv(name, raising=False)


def test_the_local_hub_is_the_default(cache: Path) -> None:
    hub = hub_settings()
    assert (hub.endpoint, hub.token) == ("http://127.0.0.1:8000", None)
    assert hub.cache.parent == cache


def test_arguments_stand_before_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ADAPTER_HUB_ENDPOINT", "https://hub.example/")
    monkeypatch.setenv("ADAPTER_HUB_TOKEN", "ahub_env")
    assert (hub_settings().endpoint, hub_settings().token) == ("https://hub.example", "ahub_env")
    given = hub_settings("http://other:81", "ahub_given")
    assert (given.endpoint, given.token) == ("http://other:81", "ahub_given")
    assert "ahub_given" not in repr(given)


def test_a_token_of_the_model_hub_is_not_given_away(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    assert hub_settings().token is None
    monkeypatch.setenv("HF_TOKEN", "ahub_mine")
    assert hub_settings().token == "ahub_mine"


@pytest.mark.parametrize(
    "address", ["hub.example", "ftp://hub.example", "http://", "http://h:99999", "http://[", "x"]
)
def test_what_is_no_address(address: str) -> None:
    with pytest.raises(HubError, match="is not the address of a hub"):
        hub_settings(address)


def test_each_hub_has_a_cache_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    caches = {
        hub_settings(address).cache for address in ("http://a", "https://a", "http://a:80", "http://a/b")
    }
    assert len(caches) == 4
    assert hub_settings("http://a/").cache == hub_settings("http://a").cache
    monkeypatch.delenv("ADAPTER_LIB_CACHE")
    assert hub_settings().cache.parent == Path.home() / ".cache" / "adapter_lib"
