from pathlib import Path

import pytest

from adapter_lib.hub.answers import AdapterFile, BackboneChoice, Candidate, Resolution
from adapter_lib.hub.records import recall, remember
from adapter_lib.hub.settings import hub_settings

SHA = "a" * 40


def resolution(state: str = "published") -> Resolution:
    choice = Candidate("Alice/X", SHA, "v1", state, "the only one", BackboneChoice("a/b", None, "a/b"))
    return Resolution("name", choice, (AdapterFile("adapter_config.json", "0" * 64, 5),), (), 1)


def test_what_was_remembered_is_recalled_in_any_case() -> None:
    hub = hub_settings()
    remember(hub, resolution())
    assert recall(hub, "alice/x", SHA) == resolution()
    assert recall(hub, "alice/x", "b" * 40) is None
    assert recall(hub_settings("http://other"), "alice/x", SHA) is None


def test_what_is_not_published_is_not_remembered() -> None:
    remember(hub_settings(), resolution("validating"))
    assert recall(hub_settings(), "alice/x", SHA) is None


@pytest.mark.parametrize("content", [b"", b"{}", b"[", b'{"kind": 1}'])
def test_a_broken_record_is_no_record(cache: Path, content: bytes) -> None:
    remember(hub_settings(), resolution())
    (record,) = cache.rglob(f"{SHA}.json")
    record.write_bytes(content)
    assert recall(hub_settings(), "alice/x", SHA) is None


def test_a_cache_that_cannot_be_written_does_not_matter(cache: Path) -> None:
    cache.write_text("a file where the folder should be")
    remember(hub_settings(), resolution())
    assert recall(hub_settings(), "alice/x", SHA) is None
