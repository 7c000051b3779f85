"""Folders and their refusals; the hub's side is in test_against_hub.py."""

import json
from pathlib import Path
from typing import Any

import pytest

import adapter_lib
from adapter_lib.hub.sources import Request, from_folder, from_hub, from_upstream, read_manifest
from adapter_lib.spec.errors import LoadError
from adapter_lib.spec.ids import UpstreamName
from adapter_lib.spec.manifest import CONFIG_FILE, WEIGHTS_FILE, ManifestError
from tests.adapter_lib.hub.answering import answering, as_json
from tests.hubsite.factories import adapter_files

SHA = "a" * 40


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A native adapter."""
    found = tmp_path / "my.adapter"
    found.mkdir()
    for name, content in adapter_files().items():
        (found / name).write_bytes(content)
    return found


def choice(**others: Any) -> dict[str, Any]:
    return {
        "id": "alice/x",
        "revision": SHA,
        "version": None,
        "state": "published",
        "reason": "the only one",
        "backbone": None,
        "files": [],
    } | others


def test_a_folder_tells_its_name_and_backbone(folder: Path) -> None:
    source = from_folder(str(folder), None)
    assert (source.folder, source.name) == (folder, "my.adapter")
    assert source.backbone is not None
    assert source.backbone.id == "sentence-transformers/all-MiniLM-L6-v2"


def test_a_folder_has_no_revisions(folder: Path) -> None:
    with pytest.raises(LoadError, match="is a folder"):
        from_folder(str(folder), "v1")


def test_a_name_without_prefix_is_taken_for_a_folder() -> None:
    with pytest.raises(LoadError, match="hub:NAMESPACE/NAME"):
        adapter_lib.load("sentiment/lora")


def test_a_folder_that_is_no_adapter(folder: Path) -> None:
    (folder / WEIGHTS_FILE).unlink()
    with pytest.raises(LoadError, match="weights are missing"):
        read_manifest(folder)
    (folder / CONFIG_FILE).unlink()
    with pytest.raises(LoadError, match="not an adapter"):
        read_manifest(folder)


@pytest.mark.parametrize(
    ("config", "kind"),
    [({"peft_type": "LORA"}, "PEFT"), ({"config": {}, "version": "adapters.1.0.0"}, "AdapterHub")],
)
def test_foreign_formats_are_named(folder: Path, config: dict[str, Any], kind: str) -> None:
    (folder / CONFIG_FILE).write_text(json.dumps(config))
    with pytest.raises(ManifestError, match=kind):
        adapter_lib.load(str(folder))


def test_two_revisions_are_one_too_many() -> None:
    with pytest.raises(LoadError, match="give only one"):
        from_upstream(UpstreamName("a/b", "v1"), "v2")


@pytest.mark.parametrize("state", ["received", "validating", "failed", "quarantined"])
def test_only_published_adapters_are_taken(cache: Path, state: str) -> None:
    answer = {"kind": "name", "choice": choice(state=state), "candidates": [], "total": 1}
    with (
        answering(as_json(answer), cache=cache) as server,
        pytest.raises(LoadError, match=f"is {state}, not published"),
    ):
        from_hub(server.hub, Request("hub:alice/x"))


def test_a_revision_without_an_adapter_is_refused(cache: Path) -> None:
    files = [{"path": "pytorch_model.bin", "sha256": "0" * 64, "size": 1}]
    answer = {"kind": "name", "choice": choice(files=files), "candidates": [], "total": 1}
    with answering(as_json(answer), cache=cache) as server, pytest.raises(LoadError, match="not an adapter"):
        from_hub(server.hub, Request("hub:alice/x"))
    assert len(server.requests) == 1
