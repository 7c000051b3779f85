"""From data to an adapter that others load: train, evaluate, inspect, publish, search, load."""

import json
from pathlib import Path
from threading import Event

import pytest
from pytest_django import Settings

from hubsite.registry.models import Card
from hubsite.search.index_folder import IndexFolder
from hubsite.search.indexer import follow_once
from tests.adapter_lib.cli.running import call, refused
from tests.adapter_lib.hub.conftest import BACKBONE, HubWithBackbone
from tests.adapter_lib.hub.test_against_hub import validate


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A file that one word decides."""
    rows = [
        {"text": f"the {thing} was {word} .", "label": label}
        for thing in ("film", "food")
        for word, label in (("good", "positive"), ("bad", "negative"))
    ]
    path = tmp_path / "reviews.jsonl"
    path.write_text("\n".join(map(json.dumps, rows * 8)))
    return path


def test_from_data_to_an_adapter_that_others_load(
    hub: HubWithBackbone, backbone_folder: Path, data: Path, tmp_path: Path, settings: Settings
) -> None:
    settings.SEARCH_INDEX_DIR = tmp_path / "search"
    folder = tmp_path / "mine"
    few = ("--resamples", 20)
    words = (
        *few,
        "--data",
        data,
        "--eval-data",
        data,
        "--output",
        folder,
        "--epochs",
        10,
        "--learning-rate",
        0.02,
    )
    done = call("train", "--backbone", backbone_folder, "--task", "classification", *words, "--batch-size", 8)
    assert done.code == 0, done.stderr
    assert (
        call("evaluate", folder, "--data", data, *few, "--json").document["scores"]["accuracy"]["value"]
        == 1.0
    )
    assert call("inspect", folder).code == 0

    assert call("login", "--token", hub.token).code == 0
    publish = ("publish", folder, "alice/reviews", "--task", "sentiment", "--backbone", BACKBONE)
    published = call(*publish, "--no-wait", "--json").document
    validate(published["revision"])
    again = call(*publish, "--json").document
    assert (again["revision"], again["state"]) == (published["revision"], "published")
    # What `train` measured is what the card claims.
    claims = {c["metric"]: c["value"] for c in Card.objects.get(commit__sha=again["revision"]).claims}
    assert claims["accuracy"] == 1.0

    follow_once(IndexFolder.configured(), Event())
    (hit,) = call("search", "--task", "sentiment", "--method", "lora", "--json").document
    assert hit["id"] == "alice/reviews"
    assert "alice/reviews v1" in call("search").stdout
    assert "Nothing fits." in call("search", "--method", "seq_bn").stdout

    text = "the food was good ."
    loaded = call("load", "hub:alice/reviews", "--to", tmp_path / "copy", "--text", text, "--json")
    assert loaded.code == 0, loaded.stderr
    assert loaded.document["answers"] == [{"text": text, "answer": "positive"}]
    assert loaded.document["backbone"]["id"] == BACKBONE
    assert (tmp_path / "copy" / "adapter.safetensors").read_bytes() == (
        folder / "adapter.safetensors"
    ).read_bytes()
    measured = call("evaluate", hit["load"], "--data", data, "--limit", 4, *few, "--json")
    assert measured.document["scores"]["accuracy"]["value"] == 1.0
    assert call("inspect", "hub:sentiment/lora", "--json").document["method"] == "lora"


def test_what_does_not_pass_is_a_code_of_its_own(
    hub: HubWithBackbone, native: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ADAPTER_HUB_TOKEN", hub.token)
    words = ("publish", native, "alice/bad", "--task", "sentiment", "--backbone", BACKBONE)
    published = call(*words, "--no-wait", "--metric", "accuracy=0.5", "--json").document
    validate(published["revision"], fault="tensors.empty")
    done = call(*words, "--metric", "accuracy=0.5", "--json")
    assert done.code == 3
    assert "did not pass validation" in done.document["error"]


def test_refusals_are_sentences(
    hub: HubWithBackbone, native: Path, peft: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = ("alice/x", "--task", "sentiment", "--backbone", BACKBONE)
    assert "needs a token" in refused("publish", native, *words)
    monkeypatch.setenv("ADAPTER_HUB_TOKEN", hub.token)
    assert "PEFT" in refused("publish", peft, *words)
    assert "--metric is written NAME=VALUE" in refused("publish", native, *words, "--metric", "accuracy=high")
    assert "--metric is written KEY=VALUE" in refused("publish", native, *words, "--metric", "accuracy")
    assert "no namespace" in refused("publish", native, "x", "--task", "sentiment")
    assert "alice/nothing" in refused("load", "hub:alice/nothing")
    assert "not published" in _unpublished(native, words)
    assert call("search", "--endpoint", "http://127.0.0.1:1").code == 4
    assert call("search", "--sort", "beauty").code == 2


def _unpublished(native: Path, words: tuple[str, ...]) -> str:
    call("publish", native, *words, "--no-wait")
    return refused("load", "hub:alice/x")
