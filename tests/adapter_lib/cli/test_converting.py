"""`convert`: from our format and back, with what has no counterpart."""

from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import AutoModel

import adapter_lib
from tests.adapter_lib.cli.running import call, refused
from tests.adapter_lib.cli.test_merging import outputs


@pytest.fixture
def lora(tmp_path: Path, backbone: Path) -> Path:
    """A LoRA with an effect and no head."""
    model: Any = adapter_lib.init(AutoModel.from_pretrained(backbone))
    model.add_adapter("one", "lora[r=2, alpha=6]")
    torch.manual_seed(3)
    with torch.no_grad():
        for key, parameter in model.named_parameters():
            if "adapter:one" in key:
                parameter.normal_(std=0.3)
    model.save_adapter(tmp_path / "one", "one", backbone_id="someone/tiny-bert")
    return tmp_path / "one"


@pytest.mark.parametrize("to", ["peft", "adapterhub"])
def test_there_and_back(lora: Path, backbone: Path, tmp_path: Path, to: str) -> None:
    words = ("--backbone", backbone, "--json")
    there = call("convert", lora, "--to", to, "--output", tmp_path / "there", *words)
    assert there.code == 0, there.stderr
    # Two matrices on q and on v of two layers.
    assert (there.document["tensors_read"], there.document["tensors"]) == (8, 8)
    assert there.document["from"] == "native"
    said = call("inspect", tmp_path / "there", "--json").document
    assert (said["format"], said["parameters"]) == (to, 256)
    assert said["backbone"]["id"] == "someone/tiny-bert"
    back = call("convert", tmp_path / "there", "--to", "native", "--output", tmp_path / "back", *words)
    assert back.code == 0, back.stderr
    assert call("inspect", tmp_path / "back", "--json").document["backbone"]["id"] == "someone/tiny-bert"
    assert torch.equal(outputs(backbone, tmp_path / "back"), outputs(backbone, lora))


@pytest.mark.parametrize("to", ["peft", "adapterhub"])
def test_of_the_config_alone_it_is_the_same(lora: Path, backbone: Path, tmp_path: Path, to: str) -> None:
    config = tmp_path / "config"
    config.mkdir()
    (config / "config.json").write_bytes((backbone / "config.json").read_bytes())
    words = ("convert", lora, "--to", to, "--output")
    assert call(*words, tmp_path / "loaded", "--backbone", backbone).code == 0
    done = call(*words, tmp_path / "unloaded", "--backbone", config, "--config-only")
    assert done.code == 0, done.stderr
    assert files(tmp_path / "unloaded") == files(tmp_path / "loaded")
    other = "adapterhub" if to == "peft" else "peft"
    words = ("convert", tmp_path / "loaded", "--to", other, "--config-only", "--backbone", config)
    assert call(*words, "--output", tmp_path / "other").code == 0
    assert call("inspect", tmp_path / "other", "--json").document["parameters"] == 256


def files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_what_needs_the_weights_says_so(lora: Path, peft: Path, backbone: Path, tmp_path: Path) -> None:
    words = ("--backbone", backbone, "--config-only", "--output", tmp_path / "out")
    assert "drop --config-only" in refused("convert", peft, "--to", "native", *words)
    model: Any = adapter_lib.init(AutoModel.from_pretrained(backbone))
    model.add_adapter("norms", "norm_tuning")
    model.save_adapter(tmp_path / "norms", "norms")
    sentence = refused("convert", tmp_path / "norms", "--to", "peft", *words)
    assert sentence == "Converting norm_tuning to peft reads the backbone's weights: drop --config-only."
    assert "could not be loaded" in refused(
        "convert", lora, "--to", "peft", "--config-only", "--backbone", tmp_path, "--output", tmp_path / "out"
    )


def test_for_people_it_is_a_line(lora: Path, backbone: Path, tmp_path: Path) -> None:
    done = call("convert", lora, "--to", "peft", "--output", tmp_path / "out", "--backbone", backbone)
    assert "8 tensors read as native, 8 written as peft" in done.stdout


def test_what_has_no_counterpart_is_refused(lora: Path, backbone: Path, tmp_path: Path) -> None:
    model: Any = adapter_lib.init(AutoModel.from_pretrained(backbone))
    model.add_adapter("bn", "seq_bn")
    model.save_adapter(tmp_path / "bn", "bn")
    words = ("--backbone", backbone, "--output", tmp_path / "out")
    assert "no adapters between sub-layers" in refused("convert", tmp_path / "bn", "--to", "peft", *words)
    assert "is native already" in refused("convert", lora, "--to", "native", *words)
    assert "There is no use 'POETRY'" in refused("convert", lora, "--to", "peft", "--use", "POETRY", *words)
    assert call("convert", lora, "--to", "onnx", *words).code == 2
    assert not (tmp_path / "out").exists()
