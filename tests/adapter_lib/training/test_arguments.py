"""Adapters from a script's command line."""

from pathlib import Path
from typing import Any

import pytest
import torch
import transformers as hf

import adapter_lib
from adapter_lib import AdapterArguments, Stack, setup_adapter_training
from adapter_lib.spec.errors import ConfigError, LoadError
from tests.adapter_lib.tiny import adapter_parameters, build, prepared


def _parsed(*words: str) -> AdapterArguments:
    parser: Any = hf.HfArgumentParser
    (found,) = parser(AdapterArguments).parse_args_into_dataclasses(list(words))
    assert isinstance(found, AdapterArguments)
    return found


def _trained(model: Any) -> set[str]:
    return {
        name.partition("adapter:")[2].partition(".")[0]
        for name, p in model.named_parameters()
        if p.requires_grad
    }


def test_a_new_adapter_is_added_trained_and_acts() -> None:
    model = adapter_lib.init(build("bert"))
    found = setup_adapter_training(model, _parsed("--train_adapter", "--adapter_config", "lora[r=4]"), "task")
    assert found == ("task", None)
    assert model.adapter_runtime.injection.configs["task"] == adapter_lib.LoRAConfig(r=4)
    assert model.active_adapters == Stack("task")
    assert _trained(model) == {"task"}
    setup_adapter_training(model, _parsed("--train_adapter", "true"), "task")
    assert model.adapter_runtime.injection.configs["task"].method == "lora", "what is there is taken as it is"


def test_without_train_adapter_nothing_happens() -> None:
    model = adapter_lib.init(build("bert"))
    assert setup_adapter_training(model, AdapterArguments(), "task") == (None, None)
    assert not model.adapter_runtime.injection.configs
    for words in (["--load_adapter", "x"], ["--load_lang_adapter", "x"]):
        with pytest.raises(ConfigError, match="add --train_adapter"):
            setup_adapter_training(model, _parsed(*words), "task")


def test_a_language_adapter_stays_as_it_is_below_the_task(tmp_path: Path) -> None:
    source = prepared("bert", de="seq_bn_inv", old="seq_bn")
    source.add_classification_head("old", num_labels=3)
    source.save_adapter(tmp_path / "de", "de")
    source.save_adapter(tmp_path / "old", "old")
    model = adapter_lib.init(build("bert"))
    words = [
        "--train_adapter",
        "--load_adapter",
        str(tmp_path / "old"),
        "--load_lang_adapter",
        str(tmp_path / "de"),
    ]
    found = setup_adapter_training(model, _parsed(*words, "--lang_adapter_config", "seq_bn_inv"), "task")
    assert found == ("task", "de")
    assert model.active_adapters == Stack("de", "task")
    assert model.active_head == "task"
    assert _trained(model) == {"task", ""}, "the adapter and its head"
    for ours, theirs in (("task", "old"), ("de", "de")):
        pairs = zip(adapter_parameters(model, ours), adapter_parameters(source, theirs), strict=True)
        assert all(torch.equal(a, b) for a, b in pairs)
    with pytest.raises(ConfigError, match=r"The language adapter .* not"):
        setup_adapter_training(model, _parsed(*words, "--lang_adapter_config", "lora"), "task")


def test_a_source_that_does_not_exist_is_one_error() -> None:
    model = adapter_lib.init(build("bert"))
    with pytest.raises((LoadError, adapter_lib.AdapterLibError), match="nowhere"):
        setup_adapter_training(model, _parsed("--train_adapter", "--load_adapter", "./nowhere"), "task")
