"""A model world small enough to be made anew in a second: a backbone, adapters for it, a suite."""

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file
from transformers import AutoModel, BertConfig, BertModel, BertTokenizerFast

import adapter_lib
from hubsite.accounts.models import User
from hubsite.registry.models import Backbone, Commit, RepoKind
from hubsite.registry.services import backbones
from hubsite.validation.models import Run, Suite
from hubsite.validation.services.suites import import_suite
from tests.hubsite import factories
from tests.hubsite.validation.made import LABELS, sentiment, write_suite

BACKBONE = "tiny/bert"
CARD = """---
license: apache-2.0
language: en
library_name: adapter_lib
adapter_task: sentiment
base_model: tiny/bert
---
# Tiny

Tells good films from bad ones.
"""


def save_backbone(folder: Path, *, width: int) -> Path:
    """Write a random BERT with its tokenizer."""
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "good", "bad", "film", "test", "train", "the", "i"]
    (folder / "vocab.txt").write_text("\n".join(words) + "\n")
    BertTokenizerFast(vocab=str(folder / "vocab.txt"), model_max_length=64).save_pretrained(folder)
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=len(words), hidden_size=width, num_hidden_layers=2, num_attention_heads=2,
        intermediate_size=2 * width, max_position_embeddings=64,
    )  # fmt: skip
    BertModel(config).save_pretrained(folder)
    return folder


def save_adapter(backbone: Path, folder: Path, *, head: bool = True, labels: list[str] = LABELS) -> Path:
    """Write a LoRA for the backbone, with its card."""
    model: Any = adapter_lib.init(AutoModel.from_pretrained(backbone))
    torch.manual_seed(1)
    model.add_adapter("made", "lora[r=4]")
    if head:
        model.add_classification_head("made", labels=labels, pooling="mean")
    for name, parameter in model.named_parameters():
        if "lora_b" in name:
            torch.nn.init.normal_(parameter, std=0.5)
    model.save_adapter(folder, "made", backbone_id=BACKBONE)
    (folder / "README.md").write_text(CARD)
    return folder


def files_of(folder: Path) -> dict[str, bytes]:
    """A folder's files as a commit takes them."""
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir()) if path.is_file()}


def with_tensors(folder: Path, target: Path, change: Mapping[str, Any]) -> Path:
    """A copy of an adapter in which the tensors whose names end as given are changed by a function."""
    shutil.copytree(folder, target, dirs_exist_ok=True)
    tensors = load_file(target / "adapter.safetensors")
    for name in tensors:
        for ending, function in change.items():
            if name.endswith(ending):
                tensors[name] = function(tensors[name])
    save_file(tensors, target / "adapter.safetensors")
    return target


def publish_backbone(owner: User, folder: Path) -> Backbone:
    """The backbone as a repo of this hub."""
    repo = factories.make_repo(owner, "bert", RepoKind.BACKBONE)
    factories.make_commit(repo, files_of(folder))
    return backbones.link(repo, name=BACKBONE)


def publish_suite(owner: User, folder: Path, rows: int = 24) -> Suite:
    """A suite for `sentiment`."""
    sentiment()
    return import_suite(factories.actor_of(owner), write_suite(folder, rows=rows), namespace=owner.username)


def upload(owner: User, files: Mapping[str, bytes], name: str = "adapter") -> Run:
    """Commit files as an adapter; the run that this opened."""
    commit: Commit = factories.make_commit(factories.make_repo(owner, name), files)
    return Run.objects.get(commit=commit)


def config_of(folder: Path) -> dict[str, Any]:
    """The adapter_config.json of a folder."""
    values: dict[str, Any] = json.loads((folder / "adapter_config.json").read_text())
    return values
