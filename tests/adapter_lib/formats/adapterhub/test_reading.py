"""Reading a folder: every tensor is accounted for, and what is not understood is named."""

from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import GPTNeoXConfig, GPTNeoXModel

import adapter_lib
from adapter_lib.spec.errors import AdapterLibError, ConfigError, LoadError
from tests.adapter_lib.formats.adapterhub import folders

_NEOX = {"hidden_size": 32, "num_hidden_layers": 1, "num_attention_heads": 4, "vocab_size": 50}
_PREFIX = "prefix_tuning[prefix_length=3, bottleneck_size=8]"
_SOME = ("seq_bn", "compacter", "lora", _PREFIX, "prefix_tuning_flat[prefix_length=3]", "loreft[r=2]")


@pytest.mark.parametrize("config", _SOME)
def test_a_tensor_too_many(tmp_path: Path, config: str) -> None:
    folders.written(tmp_path, config)
    key = "bert.encoder.layer.9.output.dense.weight"
    folders.rewrite(tmp_path, folders.tensors(tmp_path) | {key: torch.zeros(2)})
    model = folders.model()
    with pytest.raises(LoadError, match=r"'bert\.encoder\.layer\.9.*' of the file has no place"):
        model.load_adapter(tmp_path, name="b")
    report = model.load_adapter(tmp_path, name="b", strict=False)
    assert report.unexpected == (key,)
    assert "1 unexpected" in str(report)


@pytest.mark.parametrize("config", _SOME)
def test_a_tensor_too_few(tmp_path: Path, config: str) -> None:
    folders.written(tmp_path, config)
    found = folders.tensors(tmp_path)
    del found[next(key for key in sorted(found, reverse=True) if ".units.1." not in key)]
    folders.rewrite(tmp_path, found)
    with pytest.raises(LoadError, match=r"has no tensor|Nothing in the file gives"):
        folders.loaded(tmp_path)


@pytest.mark.parametrize("config", _SOME)
def test_a_tensor_of_another_shape(tmp_path: Path, config: str) -> None:
    folders.written(tmp_path, config)
    found = folders.tensors(tmp_path)
    key = next(key for key in sorted(found, reverse=True) if ".units.1." not in key)
    found[key] = found[key][..., :-1]
    folders.rewrite(tmp_path, found)
    with pytest.raises(LoadError, match=r"has the shape|cannot be (keys and values|cut)"):
        folders.loaded(tmp_path)


@pytest.mark.parametrize("config", _SOME)
def test_whole_numbers_instead_of_weights(tmp_path: Path, config: str) -> None:
    folders.written(tmp_path, config)
    found = folders.tensors(tmp_path)
    key = next(iter(found))
    folders.rewrite(tmp_path, found | {key: found[key].int()})
    with pytest.raises(LoadError, match=r"torch\.int32, not floating point"):
        folders.loaded(tmp_path)


def test_half_precision_is_read(tmp_path: Path) -> None:
    first = folders.written(tmp_path, "seq_bn")
    folders.rewrite(tmp_path, {key: value.half() for key, value in folders.tensors(tmp_path).items()})
    second = folders.loaded(tmp_path)
    assert torch.allclose(folders.logits(second), folders.logits(first), atol=1e-2)


def test_a_config_of_another_adapter(tmp_path: Path) -> None:
    """The config covers queries and values; the file has keys too."""
    folders.written(tmp_path, "lora[targets=[q, k, v]]")
    folders.alter(tmp_path, lambda values: values["config"].update(attn_matrices=["q", "v"]))
    with pytest.raises(LoadError, match=r"key\.loras\.a\.lora_A' of the file has no place"):
        folders.loaded(tmp_path)


def test_a_pool_that_contradicts_itself(tmp_path: Path) -> None:
    folders.written(tmp_path, _PREFIX)
    found = folders.tensors(tmp_path)
    key = next(key for key in found if "wte" in key)
    copy = key.replace("bert.", "bert.encoder.layer.0.attention.self.").replace(
        "prefix_tuning.", "prefix_tuning.pool.", 1
    )
    folders.rewrite(tmp_path, found | {copy: found[key].clone()})
    assert folders.model().load_adapter(tmp_path, name="b").set_aside == {copy: "the pool again"}
    folders.rewrite(tmp_path, found | {copy: found[key] + 1})
    with pytest.raises(LoadError, match="says something else"):
        folders.loaded(tmp_path)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"made_up": 1, "other": 2}, "The config has 'made_up', 'other', which no release"),
        ({"architecture": "something_new"}, "no method here for the architecture 'something_new'"),
        ({"architecture": ["lora"]}, "no method here for the architecture"),
        ({"leave_out": 1}, "leave_out must be a list of whole numbers"),
        ({"leave_out": [9]}, "leave_out names layer 9"),
        ({"non_linearity": "magic"}, "non_linearity"),
        ({"reduction_factor": -1}, "reduction_factor"),
        ({"reduction_factor": None}, "The config lacks reduction_factor"),
        ({"mh_adapter": "yes"}, "mh_adapter"),
    ],
)
def test_a_config_that_cannot_be(tmp_path: Path, change: dict[str, Any], sentence: str) -> None:
    folders.written(tmp_path, "seq_bn")
    folders.alter(tmp_path, lambda values: values["config"].update(change))
    with pytest.raises(AdapterLibError, match=sentence):
        folders.loaded(tmp_path)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"config": []}, "config must be an object"),
        ({"config": {"architecture": "union", "configs": {}}}, "configs must be the list"),
        (
            {"config": {"architecture": "lora", "attn_matrices": "qv"}},
            "attn_matrices must be a list of text",
        ),
        ({"config": {"mh_adapter": True}}, "The config lacks output_adapter, reduction_factor"),
        ({"name": 3}, "name must be the adapter's name"),
        ({"name": "other"}, "has no place in this adapter|Nothing in the file gives"),
    ],
)
def test_a_document_that_cannot_be(tmp_path: Path, change: dict[str, Any], sentence: str) -> None:
    folders.written(tmp_path, "seq_bn")
    folders.alter(tmp_path, lambda values: values.update(change))
    with pytest.raises(LoadError, match=sentence):
        folders.loaded(tmp_path)


@pytest.mark.parametrize(
    ("config", "change", "sentence"),
    [
        ("lora", {"composition_mode": "multiply"}, "composition_mode must be add or scale"),
        ("lora", {"r": "four"}, "r must be"),
        ("ia3[targets=[k, v]]", {"alpha": 2}, r"Factors with r=1 and alpha=2"),
        ("loreft[r=2]", {"layers": "some"}, "layers must be"),
        (_PREFIX, {"prefix_length": 0}, "prefix_length must be"),
    ],
)
def test_values_out_of_range(tmp_path: Path, config: str, change: dict[str, Any], sentence: str) -> None:
    folders.written(tmp_path, config)
    folders.alter(tmp_path, lambda values: values["config"].update(change))
    with pytest.raises((ConfigError, LoadError), match=sentence):
        folders.loaded(tmp_path)


def test_a_model_without_names_there(tmp_path: Path) -> None:
    folders.written(tmp_path, "seq_bn")
    other = adapter_lib.init(GPTNeoXModel(GPTNeoXConfig(**_NEOX)))
    with pytest.raises(LoadError, match=r"a model of the type gpt_neox is not known here; known are albert"):
        other.load_adapter(tmp_path, name="b")


def test_a_told_model(tmp_path: Path) -> None:
    folders.written(tmp_path, "seq_bn")
    (tmp_path / "adapter_interface.json").write_text("{}", encoding="utf-8")
    with pytest.raises(LoadError, match="was told the places of"):
        folders.loaded(tmp_path)


def test_what_differs_is_said(tmp_path: Path) -> None:
    folders.written(tmp_path, "noreft[r=2]")
    (note,) = folders.model().load_adapter(tmp_path, name="b").notes
    assert "if it is a DiReFT" in note
    folders.alter(tmp_path, lambda values: values["config"].update(subtract_projection=False))
    model = folders.model()
    assert model.load_adapter(tmp_path, name="b").notes == ()
    assert model.adapter_runtime.injection.configs["b"].name() == "direft"


def test_a_folder_without_weights(tmp_path: Path) -> None:
    folders.written(tmp_path, "seq_bn")
    (tmp_path / folders.WEIGHTS).unlink()
    with pytest.raises(LoadError, match=r"has neither adapter\.safetensors nor pytorch_adapter\.bin"):
        folders.loaded(tmp_path)
