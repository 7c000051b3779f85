"""Publish, find and load through the real site over a socket; only the workers' part is done by hand."""

import runpy
import shutil
import socket
from pathlib import Path
from threading import Event
from typing import Any

import pytest
import torch
from pytest_django import Settings
from transformers import AutoModel, AutoTokenizer

import adapter_lib
from adapter_lib.hub import HubAnswerError, HubError, PublishError, publish
from adapter_lib.hub.settings import hub_settings
from adapter_lib.spec.errors import AdapterLibError, LoadError
from hubsite.accounts.models import User
from hubsite.registry.models import Card, Commit, CommitState
from hubsite.search.index_folder import IndexFolder
from hubsite.search.indexer import follow_once
from hubsite.validation.models import Run, Severity
from hubsite.validation.reports import Found
from hubsite.validation.services import runs
from hubsite.validation.steps import StepName
from tests.adapter_lib.hub.conftest import BACKBONE, HubWithBackbone
from tests.hubsite.factories import make_token

TEXTS = ["a good film !", "the food was not good .", "very bad"]


def trained(backbone_folder: Path, method: str = "lora[r=2]") -> Any:
    """A tiny BERT with an adapter and a head that have an effect."""
    model: Any = adapter_lib.init(AutoModel.from_pretrained(backbone_folder))
    model.add_adapter("mine", method)
    model.add_classification_head("mine", labels=["negative", "positive"])
    torch.manual_seed(1)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if "mine" in name:
                parameter.normal_(std=0.5)
    model.set_active_adapters("mine")
    return model.eval()


def logits(model: Any, folder: Path | str) -> torch.Tensor:
    batch = AutoTokenizer.from_pretrained(folder)(TEXTS, padding=True, return_tensors="pt")
    with torch.no_grad():
        return torch.as_tensor(model(**batch).logits)


def upload(model: Any, repo_id: str, hub: HubWithBackbone, **options: Any) -> adapter_lib.hub.Publication:
    """Uploaded, and published as if its validation had passed."""
    done = publish(
        model,
        repo_id,
        **{"task": "sentiment", "backbone": BACKBONE, "token": hub.token, "wait": False} | options,
    )
    validate(done.revision)
    return done


def validate(revision: str, fault: str = "") -> None:
    """What a worker's run leaves behind: publication, or a finding with the code `fault`."""
    held = runs.claim(Run.objects.get(commit__sha=revision).id, "tests")
    assert held is not None
    for step in StepName:
        runs.start_step(held, step)
        if fault and step == StepName.TENSORS:
            runs.add_finding(held, Found(step, fault, Severity.ERROR, detail={"method": "lora"}))
            break
        runs.finish_step(held, step, passed=True, duration_ms=1)
    runs.finish(held, passed=not fault)


def test_what_is_published_is_loaded_back(
    hub: HubWithBackbone, backbone_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model = trained(backbone_folder)
    done = upload(model, "alice/tiny-lora", hub, metrics={"accuracy": 0.75}, dataset="films")
    loaded: Any = adapter_lib.load("hub:alice/tiny-lora")
    assert torch.equal(logits(loaded, loaded.name_or_path), logits(model, backbone_folder))
    assert not loaded.training
    assert loaded.active_head == "tiny-lora"
    assert "hub:alice/tiny-lora → alice/tiny-lora v1" in capsys.readouterr().out
    assert done.url == f"{hub.endpoint}/alice/tiny-lora"
    card = Card.objects.get(commit__sha=done.revision)
    assert (card.license, card.method, card.dataset) == ("apache-2.0", "lora", "films")
    assert card.task is not None
    assert card.task.slug == "sentiment"
    assert card.warnings == []
    assert card.claims[0]["value"] == 0.75


def test_every_form_of_id_leads_to_it(hub: HubWithBackbone, backbone_folder: Path) -> None:
    model = trained(backbone_folder, "seq_bn[reduction_factor=4]")
    done = upload(model, "alice/tiny-bn", hub)
    expected = logits(model, backbone_folder)
    weights = Card.objects.get(commit__sha=done.revision).weights_sha256
    ids = ["alice/tiny-bn@v1", f"alice/tiny-bn@{done.revision}", "sentiment/seq_bn", f"sha256:{weights}"]
    for text in [*ids, f"sentiment@alice?backbone={BACKBONE}"]:
        loaded = adapter_lib.load(f"hub:{text}", name="again")
        assert torch.equal(logits(loaded, backbone_folder), expected)
    assert torch.equal(
        logits(adapter_lib.load("hub:alice/tiny-bn", revision="v1"), backbone_folder), expected
    )


def test_attaching_to_a_model_at_hand(hub: HubWithBackbone, backbone_folder: Path) -> None:
    model = trained(backbone_folder)
    upload(model, "alice/tiny-lora", hub)
    first = adapter_lib.load("hub:alice/tiny-lora")
    # It is known what the first one is: it came out of the cache.
    assert adapter_lib.load("hub:sentiment", first, name="second") is first
    assert first.active_adapters.names() == ("second",)
    # It is not known what this one is, and a query must not guess.
    blank: Any = AutoModel.from_pretrained(backbone_folder)
    with pytest.raises(LoadError, match=r"\?backbone="):
        adapter_lib.load("hub:sentiment/lora", blank)
    named = adapter_lib.load("hub:alice/tiny-lora", blank)
    assert torch.equal(logits(named, backbone_folder), logits(model, backbone_folder))


def test_several_candidates(
    hub: HubWithBackbone, backbone_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("one", "two"):
        upload(trained(backbone_folder, "lora[r=2]" if name == "one" else "lora[r=4]"), f"alice/{name}", hub)
    with pytest.raises(LoadError, match=r"fits 2 adapters.*hub:alice/(one|two), hub:alice/(one|two)\."):
        adapter_lib.load("hub:sentiment/lora", strict=True)
    adapter_lib.load("hub:sentiment/lora")
    assert "also fits: alice/" in capsys.readouterr().out
    adapter_lib.load("hub:alice/one", strict=True)


def test_what_is_not_published_is_refused(hub: HubWithBackbone, backbone_folder: Path) -> None:
    model = trained(backbone_folder)
    done = publish(model, "alice/new", task="sentiment", backbone=BACKBONE, token=hub.token, wait=False)
    assert done.state in (CommitState.RECEIVED, CommitState.VALIDATING)
    with pytest.raises(LoadError, match="not published"):
        adapter_lib.load("hub:alice/new")
    loaded = adapter_lib.load("hub:alice/new", allow_unvalidated=True)
    assert torch.equal(logits(loaded, backbone_folder), logits(model, backbone_folder))


def test_the_same_bytes_make_no_new_version(hub: HubWithBackbone, backbone_folder: Path) -> None:
    model = trained(backbone_folder)
    done = upload(model, "alice/tiny-lora", hub)
    again = publish(model, "alice/tiny-lora", task="sentiment", backbone=BACKBONE, token=hub.token)
    assert (again.revision, again.run_id, again.state) == (done.revision, done.run_id, "published")
    assert Commit.objects.filter(repo__name="tiny-lora").count() == 1


def test_a_folder_is_published_as_it_was_saved(
    hub: HubWithBackbone, backbone_folder: Path, tmp_path: Path
) -> None:
    model = trained(backbone_folder)
    model.save_adapter(tmp_path / "saved", "mine")
    with pytest.raises(LoadError, match="backbone="):
        publish(tmp_path / "saved", "alice/x", task="sentiment", token=hub.token)
    done = upload(tmp_path / "saved", "alice/folder", hub)
    loaded = adapter_lib.load(f"hub:alice/folder@{done.revision}")
    assert torch.equal(logits(loaded, backbone_folder), logits(model, backbone_folder))
    local = adapter_lib.load(str(tmp_path / "saved"), adapter_lib.load("hub:alice/folder"))
    assert torch.equal(logits(local, backbone_folder), logits(model, backbone_folder))


def test_search_finds_what_the_index_has(
    hub: HubWithBackbone, backbone_folder: Path, settings: Settings, tmp_path: Path
) -> None:
    settings.SEARCH_INDEX_DIR = tmp_path / "search"
    assert adapter_lib.search("films", task="sentiment") == []
    done = upload(trained(backbone_folder), "alice/tiny-lora", hub, dataset="films")
    follow_once(IndexFolder.configured(), Event())
    (hit,) = adapter_lib.search("films", task="sentiment", backbone=BACKBONE, language="en", method="lora")
    assert (hit.id, hit.revision, hit.version, hit.backbone) == (
        "alice/tiny-lora",
        done.revision,
        "v1",
        BACKBONE,
    )
    assert (hit.license, hit.languages, hit.score) == ("apache-2.0", ("en",), None)
    assert adapter_lib.load(hit.load).active_adapters.names() == ("tiny-lora",)
    assert adapter_lib.search("films", method="seq_bn") == []
    with pytest.raises(HubAnswerError, match="size"):
        adapter_lib.search(limit=1000)


def test_refusals_are_sentences(hub: HubWithBackbone, bob: User, backbone_folder: Path) -> None:
    model = trained(backbone_folder)
    with pytest.raises(HubAnswerError) as caught:
        adapter_lib.load("hub:alice/nothing")
    assert caught.value.status == 404
    with pytest.raises(HubAnswerError, match="task"):
        adapter_lib.load("hub:sentimant")
    with pytest.raises(HubError, match="needs a token"):
        publish(model, "alice/x", task="sentiment")
    for token in ("ahub_wrong", make_token(bob), make_token(bob, "read")):
        with pytest.raises(HubError) as refused:
            publish(model, "alice/x", task="sentiment", backbone=BACKBONE, token=token)
        assert str(refused.value).endswith(".")
    with pytest.raises(AdapterLibError, match="namespace"):
        publish(model, "x", task="sentiment", backbone=BACKBONE, token=hub.token)


def test_the_cache_is_enough_for_an_exact_revision(
    hub: HubWithBackbone, backbone_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = trained(backbone_folder)
    done = upload(model, "alice/tiny-lora", hub)
    adapter_lib.load("hub:alice/tiny-lora")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    loaded = adapter_lib.load(f"hub:alice/tiny-lora@{done.revision}")
    assert torch.equal(logits(loaded, backbone_folder), logits(model, backbone_folder))
    with pytest.raises(HubError, match="only an exact revision"):
        adapter_lib.load("hub:alice/tiny-lora")
    with pytest.raises(HubError, match="never loaded here"):
        adapter_lib.load(f"hub:alice/tiny-lora@{'0' * 40}")


def test_a_hub_that_went_away_is_no_hindrance_to_an_exact_revision(
    hub: HubWithBackbone, backbone_folder: Path
) -> None:
    model = trained(backbone_folder)
    # The hub's copy of the backbone knows no such revision.
    model.save_adapter(
        backbone_folder.parent / "saved", "mine", backbone_id=BACKBONE, backbone_revision="b" * 40
    )
    done = upload(backbone_folder.parent / "saved", "alice/tiny-lora", hub)
    adapter_lib.load("hub:alice/tiny-lora")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        gone = f"http://127.0.0.1:{free.getsockname()[1]}"
    shutil.copytree(hub_settings(hub.endpoint).cache, hub_settings(gone).cache, symlinks=True)
    loaded = adapter_lib.load(f"hub:alice/tiny-lora@{done.revision}", endpoint=gone)
    assert torch.equal(logits(loaded, backbone_folder), logits(model, backbone_folder))
    with pytest.raises(HubError, match="No hub answers at"):
        adapter_lib.load("hub:alice/tiny-lora", endpoint=gone)


def test_the_snippet_runs_as_it_is_shown(
    hub: HubWithBackbone, backbone_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    done = upload(trained(backbone_folder), "alice/tiny-lora", hub)
    (tmp_path / "snippet.py").write_text(done.snippet)
    runpy.run_path(str(tmp_path / "snippet.py"))
    shown = capsys.readouterr().out.splitlines()
    assert "alice/tiny-lora v1" in shown[0]
    assert [line.split()[0] in ("negative", "positive") for line in shown[1:]] == [True] * 3


def test_a_failed_validation_tells_why(hub: HubWithBackbone, backbone_folder: Path) -> None:
    model = trained(backbone_folder)
    done = publish(model, "alice/bad", task="sentiment", backbone=BACKBONE, token=hub.token, wait=False)
    validate(done.revision, fault="tensors.empty")
    with pytest.raises(PublishError, match="did not pass validation") as caught:
        publish(model, "alice/bad", task="sentiment", backbone=BACKBONE, token=hub.token)
    assert "holds no tensors of the method lora" in caught.value.findings[0]
    assert done.run_id in str(caught.value)


def test_bytes_that_were_changed_in_the_cache_are_refused_once(
    hub: HubWithBackbone, backbone_folder: Path, cache: Path
) -> None:
    model = trained(backbone_folder)
    upload(model, "alice/tiny-lora", hub)
    adapter_lib.load("hub:alice/tiny-lora")
    (weights,) = cache.rglob("adapter.safetensors")
    weights.resolve().write_bytes(b"other bytes")
    with pytest.raises(LoadError, match=r"adapter\.safetensors is refused"):
        adapter_lib.load("hub:alice/tiny-lora")
    loaded = adapter_lib.load("hub:alice/tiny-lora")
    assert torch.equal(logits(loaded, backbone_folder), logits(model, backbone_folder))


def test_the_upstream_hub_is_asked_for_adapter_and_backbone(
    hub: HubWithBackbone,
    backbone_folder: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    model = trained(backbone_folder)
    done = upload(model, "alice/tiny-lora", hub)
    # The upstream hub is whatever huggingface_hub takes for it.
    monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", hub.endpoint)
    monkeypatch.setattr(
        "huggingface_hub.constants.HUGGINGFACE_CO_URL_TEMPLATE",
        hub.endpoint + "/{repo_id}/resolve/{revision}/{filename}",
    )
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "upstream"))
    monkeypatch.setenv("ADAPTER_HUB_ENDPOINT", "http://127.0.0.1:1")
    for text in ("hf:alice/tiny-lora", "hf:alice/tiny-lora@v1"):
        loaded = adapter_lib.load(text)
        assert torch.equal(logits(loaded, backbone_folder), logits(model, backbone_folder))
        assert f"hf:alice/tiny-lora at {done.revision[:12]}" in capsys.readouterr().out
    with pytest.raises(LoadError, match="not an adapter"):
        adapter_lib.load(f"hf:{BACKBONE}")
    with pytest.raises(HubError, match="no revision 'v9'"):
        adapter_lib.load("hf:alice/tiny-lora@v9")
