"""A backbone, data, and adapters of all three formats in folders."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file
from transformers import AutoModel

import adapter_lib
from tests.adapter_lib.text_backbones import bert_backbone

LABELS = ("negative", "positive")


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """No test reads a token or a file that the user keeps."""
    monkeypatch.setenv("ADAPTER_LIB_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture(scope="session")
def backbone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny BERT with its tokenizer."""
    return bert_backbone(tmp_path_factory.mktemp("backbone"))


@pytest.fixture(scope="session")
def reviews(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with train.jsonl and test.csv, which a word decides."""
    folder = tmp_path_factory.mktemp("reviews")
    rows = [
        {"text": f"the {thing} was {word} .", "label": label}
        for thing in ("film", "food")
        for word, label in (("good", "positive"), ("bad", "negative"))
    ]
    (folder / "train.jsonl").write_text("\n".join(map(json.dumps, rows * 8)))
    lines = [f'"{row["text"]}",{row["label"]}' for row in rows]
    (folder / "test.csv").write_text("\n".join(["text,label", *lines]))
    return folder


@pytest.fixture
def native(tmp_path: Path, backbone: Path) -> Path:
    """A LoRA with a head, as we save it."""
    model: Any = adapter_lib.init(AutoModel.from_pretrained(backbone))
    model.add_adapter("mine", "lora[r=2]")
    model.add_classification_head("mine", labels=list(LABELS))
    torch.manual_seed(1)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if "mine" in name:
                parameter.normal_(std=0.5)
    model.save_adapter(tmp_path / "native", "mine", backbone_id="someone/tiny-bert")
    return tmp_path / "native"


@pytest.fixture
def peft(tmp_path: Path) -> Path:
    """A LoRA as PEFT saves it."""
    folder = tmp_path / "peft"
    config = {
        "peft_type": "LORA",
        "task_type": "SEQ_CLS",
        "base_model_name_or_path": "someone/tiny-bert",
        "revision": None,
        "r": 2,
        "lora_alpha": 4,
        "target_modules": ["query"],
    }
    path = "base_model.model.bert.encoder.layer.{}.attention.self.query.lora_{}.weight"
    tensors = {}
    for layer in range(2):
        tensors[path.format(layer, "A")] = torch.full((2, 16), 0.5)
        tensors[path.format(layer, "B")] = torch.full((16, 2), 0.5, dtype=torch.float16)
    tensors["base_model.model.classifier.weight"] = torch.ones(3, 16)
    _write(folder, config, {"adapter_model.safetensors": tensors})
    return folder


@pytest.fixture
def adapterhub(tmp_path: Path) -> Path:
    """A bottleneck as AdapterHub's library saves it, in pickles, with a head."""
    folder = tmp_path / "adapterhub"
    config = {
        "config": {"architecture": None, "reduction_factor": 4, "non_linearity": "relu"},
        "hidden_size": 16,
        "model_name": "someone/tiny-bert",
        "model_type": "bert",
        "name": "sst2",
        "version": "adapters.1.2.0",
    }
    path = "bert.encoder.layer.{}.output.adapters.sst2.adapter_{}.weight"
    tensors = {path.format(layer, "down.0"): torch.ones(4, 16) for layer in range(2)}
    tensors |= {path.format(layer, "up"): torch.ones(16, 4) for layer in range(2)}
    _write(folder, config, {})
    torch.save(tensors, folder / "pytorch_adapter.bin")
    torch.save({"heads.sst2.1.weight": torch.ones(2, 16)}, folder / "pytorch_model_head.bin")
    head = {"head_type": "classification", "label2id": {"positive": 1, "negative": 0}, "layers": 1}
    (folder / "head_config.json").write_text(json.dumps({"config": head, "name": "sst2"}))
    return folder


def _write(folder: Path, config: dict[str, Any], weights: dict[str, dict[str, torch.Tensor]]) -> None:
    folder.mkdir()
    (folder / "adapter_config.json").write_text(json.dumps(config))
    for name, tensors in weights.items():
        save_file(tensors, folder / name)
