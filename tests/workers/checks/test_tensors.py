"""Step 5: values, then keys and shapes, without loading a model."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from tests.workers import tiny
from tests.workers.checks.hearing import Heard, backbone_of, case_of, hear
from workers.checks import tensors as module
from workers.checks.tensors import tensors

TYPES = [torch.float16, torch.bfloat16, torch.float32, torch.float64]
WEIGHTS = "adapter.safetensors"


@pytest.fixture
def examine(adapter_folder: Path, backbone_folder: Path, tmp_path: Path) -> Callable[..., Heard]:
    """Hear the check on a copy of the adapter in which the named tensors are changed."""

    def examine(ending: str = "", change: Callable[[Tensor], Tensor] = lambda tensor: tensor) -> Heard:
        folder = tiny.with_tensors(adapter_folder, tmp_path / "copy", {ending: change})
        return hear(tensors, case_of(folder, backbone=backbone_of(backbone_folder)))

    return examine


@pytest.mark.parametrize("dtype", TYPES)
def test_every_floating_type_is_read(examine: Callable[..., Heard], dtype: torch.dtype) -> None:
    heard = examine("", lambda tensor: tensor.to(dtype))
    assert heard.codes == []
    assert heard.logged == ["10 matched, 0 missing, 0 unexpected, 0 misshapen"]


@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_one_value_that_is_no_number_is_found(
    examine: Callable[..., Heard], dtype: torch.dtype, value: float
) -> None:
    def spoil(tensor: Tensor) -> Tensor:
        spoilt = tensor.clone().to(dtype)
        spoilt.view(-1)[-1] = value
        return spoilt

    heard = examine("layers.0.attn.q.lora_a", spoil)
    assert heard.errors == ["tensors.not_finite"]
    assert heard.found[0].detail == {"tensor": "layers.0.attn.q.lora_a", "count": 1}


@pytest.mark.parametrize("dtype", TYPES)
def test_a_lora_whose_b_is_zero_has_no_effect(examine: Callable[..., Heard], dtype: torch.dtype) -> None:
    heard = examine("lora_b", lambda tensor: -torch.zeros_like(tensor, dtype=dtype))
    assert heard.errors == ["tensors.no_effect"]
    assert heard.found[0].detail["tensor"] == "every lora_b tensor"


def test_one_trained_b_is_an_effect(examine: Callable[..., Heard]) -> None:
    assert examine("layers.0.attn.q.lora_b", torch.zeros_like).errors == []


def test_values_are_looked_at_to_the_end(
    examine: Callable[..., Heard], monkeypatch: pytest.MonkeyPatch
) -> None:
    """With chunks of 7 values, tensors of 128 are read in 19 pieces."""
    monkeypatch.setattr(module, "_CHUNK", 7)

    def spoil(tensor: Tensor) -> Tensor:
        spoilt = tensor.clone()
        spoilt.view(-1)[[0, 64, 127]] = float("nan")
        return spoilt

    heard = examine("layers.1.attn.v.lora_a", spoil)
    assert heard.found[0].detail["count"] == 3


def test_whole_numbers_are_no_weights(examine: Callable[..., Heard]) -> None:
    heard = examine("layers.0.attn.q.lora_a", lambda tensor: tensor.to(torch.int64))
    assert heard.errors == ["tensors.bad_dtype"]


def test_a_wrong_shape_tells_both(examine: Callable[..., Heard]) -> None:
    heard = examine("layers.0.attn.q.lora_b", lambda tensor: tensor[:, :2].contiguous())
    assert heard.errors == ["tensors.wrong_shape"]
    assert heard.found[0].detail == {
        "tensor": "layers.0.attn.q.lora_b", "actual": "32 × 2", "expected": "32 × 4", "backbone": "tiny/bert",
    }  # fmt: skip


def test_missing_and_unexpected_tensors_are_counted(
    adapter_folder: Path, backbone_folder: Path, tmp_path: Path
) -> None:
    folder = tiny.with_tensors(adapter_folder, tmp_path / "copy", {})
    held = load_file(folder / WEIGHTS)
    held["layers.7.attn.q.lora_a"] = held.pop("layers.0.attn.q.lora_a")
    save_file(held, folder / WEIGHTS)
    heard = hear(tensors, case_of(folder, backbone=backbone_of(backbone_folder)))
    assert heard.errors == ["tensors.missing", "tensors.unexpected"]
    assert [found.detail["tensor"] for found in heard.found] == [
        "layers.0.attn.q.lora_a", "layers.7.attn.q.lora_a"
    ]  # fmt: skip


def test_a_head_alone_is_no_adapter(adapter_folder: Path, backbone_folder: Path, tmp_path: Path) -> None:
    folder = tiny.with_tensors(adapter_folder, tmp_path / "copy", {})
    held = {name: value for name, value in load_file(folder / WEIGHTS).items() if name.startswith("head.")}
    save_file(held, folder / WEIGHTS)
    assert hear(tensors, case_of(folder, backbone=backbone_of(backbone_folder))).errors == ["tensors.empty"]


def test_without_a_backbone_the_values_are_still_looked_at(adapter_folder: Path) -> None:
    heard = hear(tensors, case_of(adapter_folder))
    assert (heard.codes, heard.errors) == (["tensors.unchecked"], [])
