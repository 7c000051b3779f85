"""What is written for PEFT, and what is refused with the reason."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch
import transformers as hf
from safetensors.torch import load_file

import adapter_lib
from adapter_lib import Stack
from adapter_lib.formats.peft.exporting.draft import short_names, whole_if
from adapter_lib.formats.peft.exporting.rotations import adjusted
from adapter_lib.spec.configs import BitFitConfig, LoRAConfig, UnionConfig
from adapter_lib.spec.errors import ConfigError, LoadError
from tests.adapter_lib import tiny
from tests.adapter_lib.zoo import MODELS

_CONFIG, _WEIGHTS = "adapter_config.json", "adapter_model.safetensors"


def _saved(model: Any, folder: Path, name: str = "a") -> tuple[dict[str, Any], dict[str, torch.Tensor]]:
    model.save_adapter(folder, name, format="peft")
    return json.loads((folder / _CONFIG).read_text(encoding="utf-8")), load_file(folder / _WEIGHTS)


def test_a_lora_says_what_peft_asks_for(tmp_path: Path) -> None:
    model = tiny.prepared("bert", a="lora[r=4, alpha=8, targets=[q, v, up]]")
    settings, tensors = _saved(model, tmp_path)
    assert settings == {
        "alpha_pattern": {},
        "base_model_name_or_path": None,
        "bias": "none",
        "fan_in_fan_out": False,
        "inference_mode": True,
        "init_lora_weights": True,
        "lora_alpha": 8,
        "lora_dropout": 0.0,
        "peft_type": "LORA",
        "peft_version": "0.21.2",
        "r": 4,
        "rank_pattern": {},
        "revision": None,
        "target_modules": ["intermediate.dense", "query", "value"],
        "task_type": "FEATURE_EXTRACTION",
        "use_dora": False,
        "use_rslora": False,
    }
    assert len(tensors) == 2 * 3 * 2
    assert all(key.startswith("base_model.model.encoder.layer.") for key in tensors)


def test_the_same_adapter_is_the_same_file(tmp_path: Path) -> None:
    model = tiny.prepared("gpt2", a="lora[r=2, targets=[q, v, up]]")
    for folder in ("one", "two"):
        model.save_adapter(tmp_path / folder, "a", format="peft")
    for file in (_CONFIG, _WEIGHTS):
        assert (tmp_path / "one" / file).read_bytes() == (tmp_path / "two" / file).read_bytes()


def test_the_report_counts_and_names_the_format(tmp_path: Path) -> None:
    model = tiny.prepared("bert", a="lora[r=4, init_weights=pissa]")
    report = model.save_adapter(tmp_path, "a", format="peft", backbone_id="org/bert", backbone_revision="1")
    assert (report.format, report.tensors, report.size) == ("peft", 8, (tmp_path / _WEIGHTS).stat().st_size)
    settings = json.loads((tmp_path / _CONFIG).read_text(encoding="utf-8"))
    assert (settings["base_model_name_or_path"], settings["revision"]) == ("org/bert", "1")
    assert settings["r"] == 8


def test_maps_that_are_one_matrix_become_one_block_structured_pair(tmp_path: Path) -> None:
    model = tiny.prepared("gpt2", a="lora[r=3, alpha=6, targets=[q, v]]")
    settings, tensors = _saved(model, tmp_path)
    assert (settings["r"], settings["lora_alpha"]) == (6, 12)
    assert settings["target_modules"] == ["c_attn"]
    assert settings["fan_in_fan_out"]
    down, up = (tensors[f"base_model.model.h.0.attn.c_attn.lora_{side}.weight"] for side in "AB")
    parts = model.adapter_runtime.injection.parts("a")
    q, v = (parts[0, f"attn.{letter}"] for letter in "qv")
    assert torch.equal(down, torch.cat([q.lora_a, v.lora_a]))
    width = tiny.WIDTH
    assert torch.equal(up[:width, :3], q.lora_b)
    assert torch.equal(up[2 * width :, 3:], v.lora_b)
    assert not up[:width, 3:].any()
    assert not up[width : 2 * width].any()
    assert not up[2 * width :, :3].any()


def test_names_mean_the_adapted_modules_and_no_others(tmp_path: Path) -> None:
    settings, _ = _saved(tiny.prepared("bert", a="lora[r=2, targets=[o], leave_out=[0]]"), tmp_path / "o")
    assert settings["target_modules"] == ["1.attention.output.dense"]
    settings, _ = _saved(tiny.prepared("bert", a="lora[r=2, targets=[down]]"), tmp_path / "down")
    assert settings["target_modules"] == ["0.output.dense", "1.output.dense"]


@pytest.mark.parametrize(
    ("wanted", "others", "names"),
    [
        (("a.q", "b.q"), ("a.k",), ["q"]),
        (("a.q",), ("b.q",), ["a.q"]),
        (("q",), ("a.q",), None),
        (("m.0.q", "m.1.q"), ("n.0.q", "n.1.q"), ["m.0.q", "m.1.q"]),
        ((), ("a",), []),
    ],
)
def test_short_names(wanted: tuple[str, ...], others: tuple[str, ...], names: list[str] | None) -> None:
    assert short_names(wanted, others) == names


@pytest.mark.parametrize(("width", "wish", "found"), [(48, 32, 24), (32, 32, 32), (30, 4, 3), (8, 100, 8)])
def test_the_width_of_blocks_that_peft_takes(width: int, wish: int, found: int) -> None:
    assert adjusted(width, wish) == found


def test_numbers_are_whole_but_for_rounding() -> None:
    assert [whole_if(value) for value in (8.000000000001, 7.5, 3.0)] == [8, 7.5, 3]


@pytest.mark.parametrize(
    ("config", "why"),
    [
        ("seq_bn", "no adapters between sub-layers"),
        ("compacter[reduction_factor=4]", "no adapters between sub-layers"),
        ("glow", "no invertible adapters"),
        ("loreft[r=2]", "does not edit hidden states"),
        ("dvora[r=4]", "by magnitudes"),
        ("mtl_lora[r=4]", "by task"),
        ("bitfit", "trains biases only beside a LoRA"),
        ("lora[r=2, use_gating=true]", "has no gates"),
        ("lora[r=2]|ia3", "joins lora, ia3"),
        ("ia3|bitfit", "beside LoRA alone"),
        ("lora[r=2]|dora[r=2]", "either LoRA or DoRA"),
        ("dora[r=2]|dora[r=3]", "Two DoRAs"),
        ("dora[r=2, scales_bias=true]", "leaves a map's bias alone"),
        ("ia3|ia3", "has one per map"),
        ("ia3[targets=[down, ffn]]", "one side of a map"),
        ("oft[neumann_terms=2]", "3 terms or more"),
        ("boft[n_butterfly=2]", "n_butterfly=1 alone agrees"),
        ("prefix_tuning_flat", "shift_positions=true"),
        ("prefix_tuning_flat[shift_positions=true, leave_out=[0]]", "every self-attention"),
        ("prompt_tuning[combine=after_first]", "combine='prefix'"),
        ("norm_tuning[bias=all]|norm_tuning", "one per map"),
    ],
)
def test_what_peft_has_no_counterpart_for_says_why(config: str, why: str, tmp_path: Path) -> None:
    model = tiny.prepared("bert", a=config)
    with pytest.raises(LoadError, match=why):
        model.save_adapter(tmp_path / "out", "a", format="peft")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("family", "config", "why"),
    [
        ("gpt2", "fourierft[n_frequency=20]", "by itself, and to PEFT that map is one matrix"),
        ("gpt2", "lokr[r=2]", "by itself"),
        ("gpt2", "hra[r=2, targets=[up]]", "does not act on Conv1D"),
        ("llama", "bitfit[add_missing=true]|lora[r=2]", "biases only where its LoRA acts"),
        ("llama", "norm_tuning[bias=all]", "has no bias"),
    ],
)
def test_what_a_model_cannot_have_there_says_why(family: str, config: str, why: str, tmp_path: Path) -> None:
    with pytest.raises(LoadError, match=why):
        tiny.prepared(family, a=config).save_adapter(tmp_path, "a", format="peft")


def test_tokens_of_a_tied_head_that_keeps_its_numbers_are_refused(tmp_path: Path) -> None:
    model = tiny.prepared("gpt2", hf.AutoModelForCausalLM, a="trainable_tokens[token_indices=[3]]")
    with pytest.raises(LoadError, match="tied_head=true"):
        model.save_adapter(tmp_path, "a", format="peft")


def test_biases_of_the_lora_s_own_maps_hang_under_them(tmp_path: Path) -> None:
    union = UnionConfig(configs=(LoRAConfig(r=2), BitFitConfig(biases=("q", "up"))))
    model = adapter_lib.init(tiny.build("bert"))
    model.add_adapter("a", union)
    settings, tensors = _saved(model, tmp_path)
    assert settings["bias"] == "all"
    prefix = "base_model.model.encoder.layer.0."
    assert f"{prefix}attention.self.query.base_layer.bias" in tensors
    assert f"{prefix}intermediate.dense.bias" in tensors


def test_experts_are_parameters_to_peft(tmp_path: Path) -> None:
    model = adapter_lib.init(MODELS["mixtral"].build())
    model.add_adapter("a", "lora[r=2, targets=[q, experts]]")
    tiny.shake(model, "a")
    settings, tensors = _saved(model, tmp_path)
    assert settings["target_parameters"] == ["mlp.experts.down_proj", "mlp.experts.gate_up_proj"]
    assert "base_model.model.layers.0.mlp.experts.base_layer.lora_A.weight" in tensors
    again = adapter_lib.init(MODELS["mixtral"].build())
    again.load_adapter(tmp_path, name="a")
    for prepared in (model, again):
        prepared.set_active_adapters("a")
    given = MODELS["mixtral"].inputs(2)
    torch.testing.assert_close(again(**given)[0], model(**given)[0])


def test_a_format_that_nobody_knows_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="format must be one of"):
        tiny.prepared("bert", a="lora[r=2]").save_adapter(tmp_path, "a", format="zip")


def test_one_model_runs_adapters_of_both_libraries(tmp_path: Path) -> None:
    """A bottleneck from AdapterHub's files on a LoRA from PEFT's is what both are here."""
    ours = tiny.prepared("bert", low="lora[r=3]", bottle="seq_bn[reduction_factor=4]")
    ours.save_adapter(tmp_path / "low", "low", format="peft")
    ours.save_adapter(tmp_path / "bottle", "bottle", format="adapterhub")
    theirs = adapter_lib.init(tiny.build("bert"))
    formats = [theirs.load_adapter(tmp_path / name).format for name in ("low", "bottle")]
    assert formats == ["peft", "adapterhub"]
    for model in (ours, theirs):
        model.set_active_adapters(Stack("low", "bottle"))
    torch.testing.assert_close(tiny.output(theirs), tiny.output(ours))
