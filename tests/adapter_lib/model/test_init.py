"""Preparing, switching, summarising: what the facade adds to a model and what it refuses."""

import inspect
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
import transformers as hf

import adapter_lib
from adapter_lib import AdapterLibError, AdapterSetup, Parallel, Stack
from adapter_lib.spec.errors import (
    AttachError,
    CompositionError,
    ConfigError,
    FamilyError,
    UnknownNameError,
)
from tests.adapter_lib.tiny import FAMILIES, build, inputs, output, prepared


def test_importing_the_library_loads_no_torch() -> None:
    code = (
        "import sys, adapter_lib, adapter_lib.spec.strings, adapter_lib.formats.expected;"
        "adapter_lib.LoRAConfig, adapter_lib.Stack, dir(adapter_lib);"
        "sys.exit(any(name in sys.modules for name in ('torch', 'transformers')))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_every_public_name_is_there() -> None:
    for name in adapter_lib.__all__:
        assert getattr(adapter_lib, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'lode'"):
        adapter_lib.lode  # noqa: B018


def test_methods_name_their_paper_and_learning_rate() -> None:
    methods = {method.name: method for method in adapter_lib.list_methods()}
    assert {"lora", "bottleneck"} <= set(methods)
    assert all(
        method.paper.startswith("https://") and 0 < method.learning_rate < 1 for method in methods.values()
    )
    # Fusions and routes are parameters of blocks, no adapters.
    adapters = [method for name, method in methods.items() if name not in ("fusion", "route")]
    presets = [preset for method in adapters for preset in method.presets]
    model: Any = adapter_lib.init(build("bert"))
    for preset in presets:
        needed = "[token_indices=[3]]" if preset == "trainable_tokens" else ""
        assert model.add_adapter(preset, preset + needed).method == preset


@pytest.mark.parametrize("family", FAMILIES)
def test_the_prepared_model_looks_like_before(family: str) -> None:
    base = build(family)
    kind = type(base)
    model = adapter_lib.init(base)
    assert model is base
    assert isinstance(model, kind)
    assert isinstance(model, adapter_lib.AdapterModel)
    assert (type(model).__name__, type(model).__module__) == (kind.__name__, kind.__module__)
    assert adapter_lib.init(model) is model
    assert type(adapter_lib.init(build(family))) is type(model)
    own, now = (inspect.signature(cls.forward).parameters for cls in (kind, type(model)))
    added = {"labels", "task_ids", "start_positions", "end_positions", "word_starts"}
    assert [name for name in now if name not in added] == [name for name in own if name not in added]
    assert "labels" in now


def test_saving_the_backbone_writes_its_own_keys_only(tmp_path: Path) -> None:
    model = prepared("bert", one="lora", two="seq_bn")
    model.add_classification_head("one", num_labels=2)
    model.active_adapters = "one"
    model.save_pretrained(tmp_path)
    again, info = hf.AutoModel.from_pretrained(tmp_path, output_loading_info=True)
    assert not info["missing_keys"]
    assert not info["unexpected_keys"]
    assert torch.equal(output(again), output(build("bert")))
    assert type(again) is hf.BertModel


def test_a_prepared_models_whole_state_can_be_put_back() -> None:
    model, other = prepared("gpt2", one="lora"), prepared("gpt2", one="lora")
    with torch.no_grad():
        for parameter in other.parameters():
            parameter.add_(0.1)
    for assign in (False, True):
        other.load_state_dict(model.state_dict(), assign=assign)
        for one in (model, other):
            one.active_adapters = "one"
        assert torch.equal(output(other), output(model))


def test_setup_is_temporary_even_when_something_fails() -> None:
    model = prepared("bert", a="lora", b="seq_bn")
    model.add_classification_head("a", num_labels=2)
    model.active_adapters = "a"
    with AdapterSetup(model, Parallel("b", "b")):
        assert model.active_head is None
        assert model(**inputs()).last_hidden_state.shape[0] == 6
    assert (model.active_adapters, model.active_head) == (Stack("a"), "a")
    with pytest.raises(ZeroDivisionError), AdapterSetup(model, "b"):
        raise ZeroDivisionError
    assert (model.active_adapters, model.active_head) == (Stack("a"), "a")
    with pytest.raises(UnknownNameError), AdapterSetup(model, "nobody"):
        pass
    assert (model.active_adapters, model.active_head) == (Stack("a"), "a")


def test_the_summary_counts() -> None:
    model: Any = adapter_lib.init(build("bert"))
    assert str(model.adapter_summary()).startswith("No adapters; the backbone has")
    model.add_adapter("tone", "lora[r=4]")
    model.add_adapter("other", "seq_bn")
    model.add_classification_head("tone", num_labels=2)
    model.train_adapter("tone")
    summary = model.adapter_summary()
    tone, other = summary.rows
    assert tone.parameters == 2 * 2 * (4 * 32 + 32 * 4) + 2 * 32 + 2
    assert (tone.is_active, tone.is_trainable, tone.head) == (True, True, "tone")
    assert (other.is_active, other.is_trainable, other.head, other.method) == (False, False, None, "seq_bn")
    assert summary.backbone_parameters == sum(p.numel() for p in build("bert").parameters())
    assert tone.percent == pytest.approx(100 * tone.parameters / summary.backbone_parameters)
    assert "tone" in str(summary)
    assert "1,090" in str(summary)


def test_new_parts_join_the_models_mode_device_and_type() -> None:
    model: Any = adapter_lib.init(build("llama").double())
    model.add_adapter("one", "double_seq_bn")
    model.add_classification_head("one", num_labels=2)
    own = [m for n, m in model.named_modules() if "adapter_lib_" in n]
    assert own
    assert not any(module.training for module in own)
    assert all(parameter.dtype == torch.float64 for parameter in model.parameters())


def test_names_and_configs_that_cannot_be_are_refused_and_nothing_stays() -> None:
    model: Any = adapter_lib.init(build("bert"))
    keys = list(model.state_dict())
    for name, config, error in (
        ("a.b", "lora", CompositionError),
        ("a", "lorra", ConfigError),
        ("a", "lora[leave_out=[2]]", ConfigError),
        ("a", "lora[leave_out=[0, 1]]", ConfigError),
        ("a", "lora[targets=[gate]]", FamilyError),
    ):
        with pytest.raises(error):
            model.add_adapter(name, config)
    assert list(model.state_dict()) == keys
    assert sum(len(module._forward_hooks) for module in model.modules()) == 0
    model.add_adapter("a", "lora")
    with pytest.raises(AttachError, match="an adapter 'a' already; overwrite=True"):
        model.add_adapter("a", "seq_bn")
    with pytest.raises(FamilyError):
        model.add_adapter("a", "lora[targets=[gate]]", overwrite=True)
    assert [row.method for row in model.adapter_summary().rows] == ["lora"]
    model.add_adapter("a", "seq_bn", overwrite=True)
    assert [row.method for row in model.adapter_summary().rows] == ["seq_bn"]


def test_deleting_what_acts_switches_it_off() -> None:
    model = prepared("gpt2", a="lora[targets=[q]]", b="lora[targets=[v]]")
    model.add_classification_head("a", num_labels=2)
    model.active_adapters = Stack("a", "b")
    model.delete_adapter("a")
    assert (model.active_adapters, model.active_head) == (None, None)
    model.active_adapters = "b"
    assert not torch.equal(output(model), output(build("gpt2")))
    with pytest.raises(UnknownNameError, match="no adapter 'a' on this model; there are: b"):
        model.active_adapters = "a"
    with pytest.raises(UnknownNameError):
        model.delete_adapter("a")


def test_what_is_no_transformers_model_is_refused() -> None:
    with pytest.raises(AdapterLibError, match="no role table for models of type 'timesformer'"):
        adapter_lib.init(hf.TimesformerModel(hf.TimesformerConfig(hidden_size=32, num_hidden_layers=1)))
    with pytest.raises(AttachError, match="was not prepared"):
        adapter_lib.detach(build("bert"))
    with pytest.raises(AttachError, match="needs the name of an adapter"):
        prepared("bert").train_adapter(None)


def test_parallel_refuses_a_part_called_on_its_own() -> None:
    model = prepared("bert", hf.AutoModelForSequenceClassification, a="lora", b="seq_bn")
    model.active_adapters = Parallel("a", "b")
    with pytest.raises(CompositionError, match="over 2 rows or copies of the batch met a batch of 3 rows"):
        model.bert(**inputs())
    with pytest.raises(CompositionError, match="finds no batch"):
        model(attention_mask=None)


def test_copies_in_threads_are_refused_not_mixed_up() -> None:
    model = prepared("bert", a="seq_bn")
    with pytest.raises(AttachError, match="use DistributedDataParallel"):
        model._replicate_for_data_parallel()(**inputs())
