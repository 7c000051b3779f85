"""Files of old releases: each spelling gives the numbers of today's."""

import re
from pathlib import Path
from typing import Any

import pytest
import torch

from adapter_lib.formats.adapterhub.legacy import current_key, repaired
from adapter_lib.spec.configs import LoRAConfig, SeqBnConfig
from adapter_lib.spec.errors import LoadError
from tests.adapter_lib.formats.adapterhub import folders

_BEHIND_ATTENTION = r"attention\.output\.adapters\."
_BEHIND_FFN = r"(layer\.\d+\.output)\.adapters\."


def _old_keys(folder: Path, kind: str) -> None:
    """The names of modules as of 1.0, for adapters of one type."""
    found = {}
    for key, value in folders.tensors(folder).items():
        key = re.sub(_BEHIND_ATTENTION, f"attention.output.attention_text_{kind}_adapters.", key)
        key = re.sub(_BEHIND_FFN, rf"\1.layer_text_{kind}_adapters.", key)
        found[key.replace("invertible_adapters.", "invertible_lang_adapters.")] = value
    assert any(f"text_{kind}" in key for key in found)
    folders.rewrite(folder, found)


def _old_document(values: dict[str, Any]) -> None:
    """A config as of adapter-transformers 1.0."""
    config = values["config"]
    kept = ("adapter_residual_before_ln", "ln_after", "ln_before", "mh_adapter", "non_linearity")
    kept += ("original_ln_after", "original_ln_before", "output_adapter", "reduction_factor")
    old = {key: config[key] for key in (*kept, "residual_before_ln")}
    for new in ("ln_after", "ln_before"):
        old[new.replace("ln", "LN")] = old.pop(new)
    old["MH_Adapter"], old["Output_Adapter"] = old.pop("mh_adapter"), old.pop("output_adapter")
    coupling = {"block_type": "nice", "non_linearity": "relu", "reduction_factor": 2}
    old |= {"attention_type": "sent-lvl-dynamic", "new_attention_norm": False, "leave_out": []}
    old["invertible_adapter"] = coupling if config["inv_adapter"] else None
    values["config"] = old
    values["type"], values["config_id"] = (
        "text_lang" if config["inv_adapter"] else "text_task",
        "9076f36a74755ac4",
    )
    del values["version"]


@pytest.mark.parametrize(
    ("config", "kind"),
    [("seq_bn", "task"), ("double_seq_bn", "task"), ("double_seq_bn", "lang"), ("seq_bn_inv", "lang")],
)
def test_names_of_the_first_releases(tmp_path: Path, config: str, kind: str) -> None:
    first = folders.written(tmp_path, config)
    _old_keys(tmp_path, kind)
    folders.alter(tmp_path, _old_document)
    torch.save(folders.tensors(tmp_path), tmp_path / folders.PICKLE)
    (tmp_path / folders.WEIGHTS).unlink()
    assert torch.equal(folders.logits(folders.loaded(tmp_path)), folders.logits(first))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("a.attention_text_task_adapters.x.up", "a.adapters.x.up"),
        ("a.attention_text_lang_adapters.x.up", "a.adapters.x.up"),
        ("a.layer_text_task_adapters.x.up", "a.adapters.x.up"),
        ("a.layer_text_lang_adapters.x.up", "a.adapters.x.up"),
        ("bert.invertible_lang_adapters.x.F.0.weight", "bert.invertible_adapters.x.F.0.weight"),
        ("invertible_lang_adapters.x.F.0.weight", "invertible_adapters.x.F.0.weight"),
        ("a.output_adapters.adapters.x.up", "a.output_adapters.adapters.x.up"),
    ],
)
def test_keys(old: str, new: str) -> None:
    assert current_key(old) == new


def test_a_key_under_both_names(tmp_path: Path) -> None:
    folders.written(tmp_path, "seq_bn")
    found = folders.tensors(tmp_path)
    key = next(key for key in found if ".output.adapters." in key)
    found[key.replace(".adapters.", ".layer_text_task_adapters.")] = found[key].clone()
    folders.rewrite(tmp_path, found)
    with pytest.raises(LoadError, match="under an old name and under today's"):
        folders.loaded(tmp_path)


@pytest.mark.parametrize("config", ["seq_bn", "lora", "prefix_tuning[prefix_length=3, bottleneck_size=8]"])
def test_keys_without_the_base_models_name(tmp_path: Path, config: str) -> None:
    """Saved from a BertModel; with it, from a model with a head."""
    first = folders.written(tmp_path, config)
    found = {key.removeprefix("bert."): value for key, value in folders.tensors(tmp_path).items()}
    folders.rewrite(tmp_path, found)
    assert torch.equal(folders.logits(folders.loaded(tmp_path)), folders.logits(first))


def test_a_config_that_is_a_presets_name(tmp_path: Path) -> None:
    first = folders.written(tmp_path, "seq_bn")
    folders.alter(tmp_path, lambda values: values.update(config="pfeiffer"))
    second = folders.loaded(tmp_path)
    assert second.adapter_runtime.injection.configs["b"] == SeqBnConfig()
    assert torch.equal(folders.logits(second), folders.logits(first))


@pytest.mark.parametrize("given", ["no_such_thing", "lora"])
def test_a_string_that_is_no_bottleneck(tmp_path: Path, given: str) -> None:
    folders.written(tmp_path, "seq_bn")
    folders.alter(tmp_path, lambda values: values.update(config=given))
    with pytest.raises(LoadError, match=f"The config '{given}' is"):
        folders.loaded(tmp_path)


@pytest.mark.parametrize(("old", "today"), [("gelu", "gelu_new"), ("gelu_orig", "gelu"), ("relu", "relu")])
def test_gelu_before_there_were_versions(tmp_path: Path, old: str, today: str) -> None:
    first = folders.written(tmp_path, f"seq_bn[non_linearity={today}]")

    def without_version(values: dict[str, Any]) -> None:
        del values["version"]
        values["config"]["non_linearity"] = old

    folders.alter(tmp_path, without_version)
    second = folders.model()
    report = second.load_adapter(tmp_path, name="b")
    second.set_active_adapters("b")
    assert len(report.notes) == (0 if old == today else 1)
    assert torch.equal(folders.logits(second), folders.logits(first))


@pytest.mark.parametrize(
    ("version", "alpha"),
    [
        ("adapters.1.0.0", 4),
        ("adapters.0.2.1", 4),
        ("adapters.1.1.0", 8),
        ("adapters.1.3.0", 8),
        ("3.2.1", 8),
    ],
)
def test_scaling_before_1_1(tmp_path: Path, version: str, alpha: int) -> None:
    folders.written(tmp_path, "lora[r=4, alpha=8]")
    folders.alter(tmp_path, lambda values: values.update(version=version))
    second = folders.model()
    report = second.load_adapter(tmp_path, name="b")
    config = second.adapter_runtime.injection.configs["b"]
    assert isinstance(config, LoRAConfig)
    assert config.alpha == alpha
    assert any("did not scale" in note for note in report.notes) is (alpha == 4)


def test_a_coupling_that_was_never_built(tmp_path: Path) -> None:
    """Task adapters of old releases name one in their config and have none in their file."""
    first = folders.written(tmp_path, "seq_bn")
    folders.alter(tmp_path, lambda v: v["config"].update(inv_adapter="nice", inv_adapter_reduction_factor=2))
    second = folders.model()
    report = second.load_adapter(tmp_path, name="b")
    second.set_active_adapters("b")
    assert "invertible adapter" in report.notes[0]
    assert torch.equal(folders.logits(second), folders.logits(first))


def test_fields_that_releases_did_not_have_yet(tmp_path: Path) -> None:
    first = folders.written(tmp_path, "prefix_tuning[prefix_length=3, bottleneck_size=512]")
    later = ("use_gating", "shared_gating", "init_weights_seed", "bottleneck_size")
    folders.alter(tmp_path, lambda values: [values["config"].pop(field) for field in later])
    assert torch.equal(folders.logits(folders.loaded(tmp_path)), folders.logits(first))


def test_types() -> None:
    with pytest.raises(LoadError, match="'image_task' is no type of adapter"):
        repaired({"type": "image_task", "config": {}}, ())
