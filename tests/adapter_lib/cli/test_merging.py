"""`merge`: one adapter of several, and a plain model with adapters in its weights."""

from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import AutoModel, AutoTokenizer

import adapter_lib
from tests.adapter_lib.cli.running import call, refused

TEXTS = ["the food was good .", "bad film"]


def outputs(backbone: Path, *adapters: Path, source: Path | None = None) -> torch.Tensor:
    """The hidden states of a backbone, all adapters on it as one stack."""
    model: Any = AutoModel.from_pretrained(source or backbone)
    if adapters:
        model = adapter_lib.init(model)
        names = [f"a{number}" for number in range(len(adapters))]
        for name, folder in zip(names, adapters, strict=True):
            model.load_adapter(folder, name=name)
        model.set_active_adapters(adapter_lib.Stack(*names), head=None)
    batch = AutoTokenizer.from_pretrained(backbone)(TEXTS, padding=True, return_tensors="pt")
    with torch.no_grad():
        found: torch.Tensor = model.eval()(**batch)[0]
    return found


@pytest.fixture
def two(tmp_path: Path, backbone: Path) -> tuple[Path, Path]:
    """Two LoRAs with an effect, of different ranks."""
    model: Any = adapter_lib.init(AutoModel.from_pretrained(backbone))
    torch.manual_seed(3)
    for name, config in (("one", "lora[r=2]"), ("two", "lora[r=3]")):
        model.add_adapter(name, config)
        with torch.no_grad():
            for key, parameter in model.named_parameters():
                if f"adapter:{name}" in key:
                    parameter.normal_(std=0.3)
        model.save_adapter(tmp_path / name, name)
    return tmp_path / "one", tmp_path / "two"


def test_the_sum_of_two_does_what_both_do(two: tuple[Path, Path], backbone: Path, tmp_path: Path) -> None:
    done = call("merge", *two, "--backbone", backbone, "--output", tmp_path / "sum", "--json")
    assert done.code == 0, done.stderr
    assert done.document["relative_error"] < 1e-5
    assert call("inspect", tmp_path / "sum", "--json").document["method"] == "lora"
    torch.testing.assert_close(
        outputs(backbone, tmp_path / "sum"), outputs(backbone, *two), atol=1e-5, rtol=1e-4
    )


def test_taken_away_again(two: tuple[Path, Path], backbone: Path, tmp_path: Path) -> None:
    words = ("--backbone", backbone, "--weight", 1, "--weight", -1, "--output", tmp_path / "none")
    assert call("merge", two[0], two[0], *words).code == 0
    torch.testing.assert_close(outputs(backbone, tmp_path / "none"), outputs(backbone), atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("strategy", ["svd", "ties", "dare_ties"])
def test_every_strategy_makes_an_adapter(
    two: tuple[Path, Path], backbone: Path, tmp_path: Path, strategy: str
) -> None:
    options = ("--rank", 2) if strategy == "svd" else ("--density", 0.5)
    words = ("--strategy", strategy, *options, "--backbone", backbone, "--output", tmp_path / "merged")
    done = call("merge", *two, *words)
    assert done.code == 0, done.stderr
    assert "relative error" in done.stdout
    assert call("inspect", tmp_path / "merged").code == 0


def test_the_mean(two: tuple[Path, Path], backbone: Path, tmp_path: Path) -> None:
    words = ("--strategy", "average", "--backbone", backbone, "--output", tmp_path / "mean")
    assert call("merge", two[0], two[0], *words).code == 0
    torch.testing.assert_close(
        outputs(backbone, tmp_path / "mean"), outputs(backbone, two[0]), atol=1e-5, rtol=1e-4
    )
    assert "config" in refused("merge", *two, *words[:-1], tmp_path / "other")


def test_into_the_base(two: tuple[Path, Path], backbone: Path, tmp_path: Path) -> None:
    done = call(
        "merge", *two, "--into-base", "--backbone", backbone, "--output", tmp_path / "whole", "--json"
    )
    assert done.code == 0, done.stderr
    assert done.document["places"] == 4
    found = outputs(backbone, source=tmp_path / "whole")
    torch.testing.assert_close(found, outputs(backbone, *two), atol=1e-5, rtol=1e-4)
    assert AutoTokenizer.from_pretrained(tmp_path / "whole")("good film")["input_ids"] == [2, 4, 6, 3]
    assert "holds a model already" in refused(
        "merge", *two, "--into-base", "--backbone", backbone, "--output", tmp_path / "whole"
    )


def test_a_head_is_said_to_be_left_out(native: Path, backbone: Path, tmp_path: Path) -> None:
    done = call("merge", native, "--into-base", "--backbone", backbone, "--output", tmp_path / "whole")
    assert f"The heads of {native} are not part of it." in done.stdout


def test_what_cannot_be_merged(two: tuple[Path, Path], backbone: Path, tmp_path: Path) -> None:
    words = ("--backbone", backbone, "--output", tmp_path / "x")
    assert "2 adapters and 1 times --weight" in refused("merge", *two, "--weight", 1, *words)
    assert "does not say which backbone" in refused("merge", *two, "--output", tmp_path / "x")
    model: Any = adapter_lib.init(AutoModel.from_pretrained(backbone))
    model.add_adapter("bn", "seq_bn")
    model.save_adapter(tmp_path / "bn", "bn")
    refused("merge", tmp_path / "bn", two[0], *words)
    refused("merge", tmp_path / "bn", "--into-base", *words)
    assert not (tmp_path / "x").exists()
