"""A backbone on this hub, loaded by transformers; and the client's own loading of what the hub serves."""

from pathlib import Path

import pytest
import torch
from transformers import AutoConfig, AutoModel, BertConfig, BertModel

from hubsite.accounts.models import User
from hubsite.registry.models import Backbone, Repo, RepoKind
from tests.hubsite.hfapi.conftest import ApiFor


@pytest.fixture
def tiny(tmp_path: Path) -> Path:
    """A folder with a BERT of 2 layers."""
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=64, hidden_size=16, num_hidden_layers=2, num_attention_heads=2, intermediate_size=32
    )
    BertModel(config).save_pretrained(tmp_path / "tiny")
    return tmp_path / "tiny"


def test_a_backbone_goes_up_and_comes_back(api_for: ApiFor, alice: User, tiny: Path) -> None:
    api = api_for(alice)
    api.create_repo("alice/tiny-bert")
    done = api.upload_folder(folder_path=tiny, repo_id="alice/tiny-bert")
    assert Repo.objects.get(name="tiny-bert").kind == RepoKind.BACKBONE
    assert Backbone.objects.get(repo__name="tiny-bert").hidden_size == 16
    info = api.model_info("alice/tiny-bert")
    assert info.config == {"model_type": "bert"}
    assert info.library_name == "transformers"
    assert info.hubState == "published"  # type: ignore[attr-defined]
    assert [row.id for row in api.list_models(filter="transformers")] == ["alice/tiny-bert"]
    folder = api.snapshot_download("alice/tiny-bert", revision=done.oid[:8])
    assert AutoConfig.from_pretrained(folder).hidden_size == 16
    loaded, original = AutoModel.from_pretrained(folder), AutoModel.from_pretrained(tiny)
    for name, value in original.state_dict().items():
        assert torch.equal(loaded.state_dict()[name], value), name
