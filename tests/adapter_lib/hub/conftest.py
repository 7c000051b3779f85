"""A real hub on a socket, a tiny backbone on it, and the library's own cache in a folder of the test."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import torch
from huggingface_hub import HfApi, close_session, utils
from pytest_django.live_server_helper import LiveServer
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors
from transformers import BertConfig, BertModel, PreTrainedTokenizerFast

from hubsite.accounts.models import User
from tests.hubsite.conftest import _clean_slate, alice, bob
from tests.hubsite.factories import make_token

__all__ = ["_clean_slate", "alice", "bob"]

_PLAIN = ["good", "bad", "film", "food", "very", "not", "a", "the", "was", ".", "!"]
WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", *_PLAIN]


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The library's cache."""
    folder = tmp_path / "cache"
    monkeypatch.setenv("ADAPTER_LIB_CACHE", str(folder))
    utils.disable_progress_bars()
    return folder


@pytest.fixture(scope="session")
def backbone_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A BERT of 2 layers and hidden size 16 with its tokenizer."""
    folder = tmp_path_factory.mktemp("tiny") / "bert"
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=len(WORDS),
        hidden_size=16,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=32,
        max_position_embeddings=32,
    )
    BertModel(config, add_pooling_layer=True).save_pretrained(folder)
    _tokenizer().save_pretrained(folder)
    return folder


def _tokenizer() -> PreTrainedTokenizerFast:
    words = {word: index for index, word in enumerate(WORDS)}
    tokenizer = Tokenizer(models.WordLevel(words, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.Lowercase()
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, unk_token="[UNK]", pad_token="[PAD]", cls_token="[CLS]", sep_token="[SEP]"
    )


@dataclass(frozen=True)
class HubWithBackbone:
    """A hub that has `alice/tiny-bert`, and alice's token for it."""

    endpoint: str
    token: str


BACKBONE = "alice/tiny-bert"


@pytest.fixture
def hub(
    transactional_db: None,
    live_server: LiveServer,
    alice: User,
    backbone_folder: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[HubWithBackbone]:
    """The hub that the environment names."""
    found = HubWithBackbone(live_server.url, make_token(alice))
    monkeypatch.setenv("ADAPTER_HUB_ENDPOINT", found.endpoint)
    api = HfApi(endpoint=found.endpoint, token=found.token)
    api.create_repo(BACKBONE)
    api.upload_folder(repo_id=BACKBONE, folder_path=backbone_folder)
    yield found
    # Before the server goes: its threads wait on the connections that the client keeps open.
    close_session()
