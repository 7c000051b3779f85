"""Classification heads as PEFT's copies of the model's own classifier, both ways."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

import adapter_lib
from adapter_lib.formats import peft
from adapter_lib.spec.errors import LoadError
from tests.interop import exports

_IDS = torch.tensor([[5, 7, 9, 11], [6, 8, 10, 12]])
_MASK = torch.ones_like(_IDS)
_PREFIX = "prefix_tuning_flat[prefix_length=2, shift_positions=true]"


@pytest.mark.parametrize("kind", exports.CLASSIFIERS)
def test_a_head_travels_through_a_peft_folder(kind: str, tmp_path: Path) -> None:
    first, second = exports.with_head(kind), adapter_lib.init(exports.classifier_base(kind))
    found = exports.exported(first, tmp_path)
    assert not found.set_aside
    read = peft.read(tmp_path, second.adapter_runtime.injection.atlas)
    head: Any = read.head
    assert replace(head, use_bias=True) == first.adapter_runtime.heads.get("a").spec
    assert not read.replaced
    exports.attach(second, read)
    with torch.no_grad():
        ours = first(input_ids=_IDS, attention_mask=_MASK).logits
        theirs = second(input_ids=_IDS, attention_mask=_MASK).logits
    torch.testing.assert_close(theirs, ours)


@pytest.mark.parametrize("kind", exports.CLASSIFIERS)
def test_the_models_own_classifier_becomes_a_head(kind: str, tmp_path: Path) -> None:
    """A file that copies the classifier as it is gives a head that computes what the model computes."""
    model = adapter_lib.init(exports.classifier_base(kind))
    model.add_adapter("a", "lora[r=3]")
    exports.exported(model, tmp_path)
    _copy_classifier(model, tmp_path)
    read = peft.read(tmp_path, model.adapter_runtime.injection.atlas)
    assert read.head is not None
    with torch.no_grad():
        own = model(input_ids=_IDS, attention_mask=_MASK).logits
        model.delete_adapter("a")
        exports.attach(model, read)
        torch.testing.assert_close(model(input_ids=_IDS, attention_mask=_MASK).logits, own)


def _copy_classifier(model: torch.nn.Module, folder: Path) -> None:
    path = folder / "adapter_model.safetensors"
    heads = {
        f"base_model.model.{name}": value.detach().clone()
        for name, value in model.named_parameters()
        if name.startswith(("classifier.", "score.", "pre_classifier."))
    }
    save_file({**load_file(path), **heads}, path)
    config = json.loads((folder / "adapter_config.json").read_text(encoding="utf-8"))
    task = "TOKEN_CLS" if "Token" in type(model).__name__ else "SEQ_CLS"
    config |= {"task_type": task, "modules_to_save": sorted({key.split(".")[2] for key in heads})}
    (folder / "adapter_config.json").write_text(json.dumps(config), encoding="utf-8")


def test_a_head_that_the_models_classifier_is_not_is_left_out_with_the_reason(tmp_path: Path) -> None:
    model = adapter_lib.init(exports.classifier_base("BertForSequenceClassification"))
    model.add_adapter("a", "lora[r=3]")
    model.add_classification_head("a", num_labels=3, pooling="mean")
    found = exports.exported(model, tmp_path)
    assert set(found.set_aside) == {"head.0.weight", "head.0.bias"}
    assert "has pooling='cls'" in found.notes[-1]
    assert found.documents["adapter_config.json"]["task_type"] is None


def test_a_prompt_in_front_of_a_pooled_token_is_refused(tmp_path: Path) -> None:
    """The peer's classifier sees the prompt's first token there, ours the text's."""
    model = adapter_lib.init(exports.classifier_base("BertForSequenceClassification"))
    model.add_adapter("a", "prompt_tuning[prompt_length=2]")
    with pytest.raises(LoadError, match="first soft token"):
        exports.exported(model)
    base = exports.with_adapter("bert", "prompt_tuning")
    exports.exported(base, tmp_path)
    settings = json.loads((tmp_path / "adapter_config.json").read_text(encoding="utf-8"))
    (tmp_path / "adapter_config.json").write_text(json.dumps(settings | {"task_type": "SEQ_CLS"}))
    with pytest.raises(LoadError, match="first soft token"):
        peft.read(tmp_path, model.adapter_runtime.injection.atlas)


@pytest.mark.parametrize("name", ["prompt_tuning[prompt_length=2]", _PREFIX])
def test_prompts_go_with_the_models_own_classifier(name: str, tmp_path: Path) -> None:
    """The peer looks for a copied classifier in every file of a model that has one."""
    model = adapter_lib.init(exports.classifier_base("GPT2ForSequenceClassification"))
    model.add_adapter("a", name)
    found = exports.exported(model, tmp_path)
    assert found.documents["adapter_config.json"]["modules_to_save"] == ["score"]
    assert "base_model.score.weight" in found.weights["adapter_model.safetensors"]
    read = peft.read(tmp_path, model.adapter_runtime.injection.atlas)
    assert read.head is not None
    torch.testing.assert_close(read.head_tensors["0.weight"], model.score.weight.detach())


def test_a_base_model_has_no_classifier_to_copy(tmp_path: Path) -> None:
    model = exports.with_adapter("bert", "lora")
    model.add_classification_head("a", num_labels=2)
    assert "no classifier of its own" in exports.exported(model, tmp_path).notes[-1]
