from pathlib import Path
from typing import Any

import pytest
from transformers import BertConfig, BertModel

from adapter_lib.hub.answers import BackboneChoice
from adapter_lib.hub.backbones import KnownBackbone, fetch_backbone, known_backbone
from adapter_lib.hub.settings import hub_settings
from adapter_lib.spec.errors import LoadError

SHA = "0123456789" * 4


@pytest.fixture(scope="module")
def model() -> BertModel:
    return BertModel(BertConfig(vocab_size=4, hidden_size=4, num_hidden_layers=1, num_attention_heads=1))


@pytest.mark.parametrize(
    ("source", "known"),
    [
        ("google-bert/bert-base-uncased", KnownBackbone("google-bert/bert-base-uncased", SHA)),
        ("gpt2", KnownBackbone("gpt2", SHA)),
        (f"/c/models--a-b--c.d/snapshots/{SHA}", KnownBackbone("a-b/c.d", SHA)),
        (f"/c/models--gpt2/snapshots/{SHA}/", KnownBackbone("gpt2", SHA)),
        (f"/c/models--a--b/snapshots/{SHA}/sub", None),
        ("/no/such/folder", None),
        ("", None),
    ],
)
def test_what_a_model_was_loaded_from(model: BertModel, source: str, known: KnownBackbone | None) -> None:
    config: Any = model.config
    config._name_or_path, config._commit_hash = source, SHA
    assert known_backbone(model) == known


def test_a_folder_is_no_model_id(model: BertModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "gpt2").mkdir()
    config: Any = model.config
    config._name_or_path = "gpt2"
    assert known_backbone(model) is None


def test_a_backbone_that_nobody_names() -> None:
    with pytest.raises(LoadError, match="give it as model="):
        fetch_backbone(hub_settings(), None, "hub:a/b")


@pytest.mark.parametrize("text", ["/etc", "../x", "a/b/c", ""])
def test_a_hub_cannot_send_a_client_to_a_local_folder(text: str) -> None:
    with pytest.raises(LoadError, match="no model id"):
        fetch_backbone(hub_settings(), BackboneChoice(text, None, None), "hub:a/b")
