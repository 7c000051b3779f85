"""Saving and loading: what is written, what is refused before anything is allocated, and what is counted."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch
import transformers as hf
from safetensors.torch import load_file, save_file

import adapter_lib
from adapter_lib.formats.expected import check_tensors_against, expected_shapes
from adapter_lib.formats.fingerprint import fingerprint
from adapter_lib.formats.native import read_manifest
from adapter_lib.formats.skeleton import skeleton
from adapter_lib.inject import Injection
from adapter_lib.spec.errors import AdapterLibError, FamilyError, LoadError, UnknownNameError
from adapter_lib.spec.manifest import CONFIG_FILE, WEIGHTS_FILE, ManifestError
from adapter_lib.spec.safetensors_header import HeaderError, read_header
from tests.adapter_lib.tiny import CONFIGS, FAMILIES, METHODS, build, output, prepared


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    model = prepared("bert", one="lora[r=4]")
    model.add_classification_head("one", labels=["no", "yes"])
    model.save_adapter(tmp_path / "one", "one", backbone_id="someone/tiny", backbone_revision="abc")
    return tmp_path / "one"


def _fresh(family: str = "bert") -> Any:
    return adapter_lib.init(build(family))


def _change_weights(folder: Path, change: Any) -> None:
    tensors = load_file(folder / WEIGHTS_FILE)
    change(tensors)
    save_file(tensors, folder / WEIGHTS_FILE)


def _change_config(folder: Path, change: Any) -> None:
    document = json.loads((folder / CONFIG_FILE).read_text())
    change(document)
    (folder / CONFIG_FILE).write_text(json.dumps(document))


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("family", FAMILIES)
def test_the_file_holds_what_the_backbones_config_lets_expect(
    family: str, method: str, tmp_path: Path
) -> None:
    model = prepared(family, one=method)
    model.add_classification_head("one", num_labels=3, layers=2)
    report = model.save_adapter(tmp_path, "one")
    manifest, header = read_manifest(tmp_path), read_header(tmp_path / WEIGHTS_FILE)
    places = skeleton(json.loads(json.dumps(CONFIGS[family]().to_dict())))
    shapes = {tensor.name: tuple(tensor.shape) for tensor in header.tensors}
    assert expected_shapes(manifest, places) == shapes
    assert check_tensors_against(manifest, header, places) == []
    assert (report.tensors, report.size) == (len(shapes), (tmp_path / WEIGHTS_FILE).stat().st_size)
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([CONFIG_FILE, WEIGHTS_FILE])


def test_the_manifest_says_what_was_saved(saved: Path) -> None:
    manifest = read_manifest(saved)
    assert (manifest.method, manifest.config.name(), manifest.family) == ("lora", "lora", "bert")
    assert (manifest.backbone.id, manifest.backbone.revision) == ("someone/tiny", "abc")
    assert (manifest.backbone.hidden_size, manifest.backbone.num_layers) == (32, 2)
    assert manifest.backbone.fingerprint == _print(build("bert"))
    assert manifest.head is not None
    assert manifest.head.labels == ("no", "yes")
    assert "layers.1.attn.v.lora_b" in load_file(saved / WEIGHTS_FILE)


def test_a_name_may_be_one_of_the_models_own(tmp_path: Path) -> None:
    for name in ("query", "h", "parts", "attention", "forward", "weight"):
        model = prepared("bert", **{name: "lora"})
        model.active_adapters = name
        model.save_adapter(tmp_path / name, name)
        fresh = _fresh()
        assert fresh.load_adapter(tmp_path / name).name == name
        fresh.active_adapters = name
        assert torch.equal(output(fresh), output(model))


def test_saving_again_replaces_the_files(saved: Path) -> None:
    model = prepared("bert", one="seq_bn")
    (saved / "README.md").write_text("kept")
    model.save_adapter(saved, "one")
    assert read_manifest(saved).method == "bottleneck"
    assert (saved / "README.md").read_text() == "kept"
    assert len(_fresh().load_adapter(saved).matched) == 8


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("")
    with pytest.raises(LoadError, match=f"'one' could not be written to {blocked}"):
        prepared("bert", one="lora").save_adapter(blocked, "one")
    with pytest.raises(UnknownNameError, match="no adapter 'two' on this model; there are: one"):
        prepared("bert", one="lora").save_adapter(tmp_path / "x", "two")


def test_tensors_that_do_not_fit_are_counted_or_refused(saved: Path) -> None:
    def change(tensors: dict[str, torch.Tensor]) -> None:
        del tensors["layers.0.attn.q.lora_a"]
        tensors["layers.9.attn.q.lora_a"] = torch.zeros(4, 32)
        tensors["layers.1.attn.v.lora_b"] = torch.zeros(32, 5)
        tensors["head.0.bias"] = torch.zeros(2, dtype=torch.int64)

    _change_weights(saved, change)
    model = _fresh()
    with pytest.raises(LoadError, match=r"lora_a \[4, 32\] is missing.*There are 1 more"):
        model.load_adapter(saved)
    assert model.adapter_summary().rows == ()
    report = model.load_adapter(saved, strict=False)
    assert report.missing == ("layers.0.attn.q.lora_a",)
    assert report.unexpected == ("layers.9.attn.q.lora_a",)
    assert sorted(report.wrong_shape) == ["head.0.bias", "layers.1.attn.v.lora_b"]
    assert len(report.matched) == 7
    assert "7 tensors loaded, 1 missing, 1 unexpected, 2 of a wrong shape" in str(report)
    assert all(torch.isfinite(parameter).all() for parameter in model.parameters())


def test_a_backbone_with_other_weights_is_named(saved: Path) -> None:
    base = build("bert")
    with torch.no_grad():
        base.encoder.layer[0].attention.self.query.weight.add_(0.01)
    model: Any = adapter_lib.init(base)
    with pytest.raises(
        LoadError, match=r"made for someone/tiny \(fingerprint [0-9a-f]{12}\), but this model's"
    ):
        model.load_adapter(saved)
    report = model.load_adapter(saved, strict=False)
    assert report.other_backbone is not None
    assert "someone/tiny" in report.other_backbone


@pytest.mark.parametrize(
    ("family", "config", "said"),
    [
        ("roberta", {}, "the family 'bert'; the backbone has 'roberta'"),
        ("bert", {"hidden_size": 64}, "the hidden size 32; the backbone has 64"),
        ("bert", {"num_hidden_layers": 3}, "the num layers 2; the backbone has 3"),
    ],
)
def test_another_architecture_is_refused_even_if_lenient(
    saved: Path, family: str, config: dict[str, int], said: str
) -> None:
    given = CONFIGS[family]()
    given.update(config)
    model: Any = adapter_lib.init(hf.AutoModel.from_config(given))
    for strict in (True, False):
        with pytest.raises(LoadError, match=said):
            model.load_adapter(saved, strict=strict)


def test_a_table_of_roles_that_changed_is_refused(saved: Path) -> None:
    _change_config(saved, lambda document: document.update(role_table="ab" * 32))
    with pytest.raises(LoadError, match="made for the role table 'abab"):
        _fresh().load_adapter(saved)


def test_what_cannot_act_on_the_backbone_is_a_problem_not_a_crash(saved: Path) -> None:
    header, places = read_header(saved / WEIGHTS_FILE), skeleton(CONFIGS["bert"]().to_dict())
    for values in ({"targets": ["gate"]}, {"leave_out": [7]}):
        _change_config(saved, lambda document, values=values: document["config"].update(values))
        problems = check_tensors_against(read_manifest(saved), header, places)
        assert [problem.kind for problem in problems] == ["backbone"]


@pytest.mark.parametrize(
    ("config", "said"),
    [
        ({"model_type": "unknown"}, "known types are:"),
        ({"model_type": "bert", "hidden_size": "wide"}, "makes no bert model"),
        ({"model_type": "bert", "num_hidden_layers": 10**9}, "1000000000 layers"),
        ({}, "no role table for models of type None"),
    ],
)
def test_a_config_that_makes_no_model_is_refused(config: dict[str, Any], said: str) -> None:
    with pytest.raises(FamilyError, match=said):
        skeleton(config)


def test_broken_files_are_refused(saved: Path, tmp_path: Path) -> None:
    with pytest.raises(LoadError, match="Is this the folder of an adapter"):
        _fresh().load_adapter(tmp_path / "nowhere")
    (saved / CONFIG_FILE).write_text("{}")
    with pytest.raises(ManifestError):
        _fresh().load_adapter(saved)


def test_broken_weights_are_refused_and_the_model_stays_as_it_was(saved: Path) -> None:
    whole = (saved / WEIGHTS_FILE).read_bytes()
    model = _fresh()
    for bad in (b"", whole[:100], b"\xff" * 200, whole + b"x"):
        (saved / WEIGHTS_FILE).write_bytes(bad)
        with pytest.raises(HeaderError):
            model.load_adapter(saved)
    (saved / WEIGHTS_FILE).unlink()
    with pytest.raises(LoadError, match="cannot be read"):
        model.load_adapter(saved)
    assert torch.equal(output(model), output(build("bert")))
    assert model.adapter_summary().rows == ()


def test_loading_over_an_adapter_needs_to_be_said(saved: Path) -> None:
    model = prepared("bert", one="seq_bn")
    with pytest.raises(AdapterLibError, match="'one' already; overwrite=True"):
        model.load_adapter(saved)
    model.load_adapter(saved, overwrite=True)
    assert [row.method for row in model.adapter_summary().rows] == ["lora"]


def _print(model: Any) -> str:
    """The fingerprint of a model, prepared or not."""
    runtime = getattr(model, "adapter_runtime", None)
    return fingerprint((runtime.injection if runtime else Injection.of(model)).atlas)


def test_the_fingerprint_knows_the_backbone_and_nothing_else() -> None:
    prints = {family: _print(build(family)) for family in FAMILIES}
    assert len(set(prints.values())) == len(FAMILIES)
    model = prepared("gpt2", one="lora[targets=[q, k, v, o]]", two="seq_bn")
    model.add_classification_head("one", num_labels=2)
    model.active_adapters = "one"
    assert _print(model) == prints["gpt2"]
    model.merge_adapter("one")
    assert _print(model) == prints["gpt2"]
    for dtype in (torch.bfloat16, torch.float16, torch.float64):
        assert _print(build("bert").to(dtype)) == prints["bert"]
    classifier = hf.AutoModelForSequenceClassification.from_config(CONFIGS["bert"]())
    classifier.bert.load_state_dict(build("bert").state_dict(), strict=False)
    assert _print(classifier) == prints["bert"]
    with pytest.raises(LoadError, match="meta device"):
        _print(build("bert").to("meta"))


def test_loading_over_a_head_needs_to_be_said_too(saved: Path) -> None:
    model: Any = adapter_lib.init(build("bert"))
    model.add_classification_head("one", num_labels=7)
    with pytest.raises(AdapterLibError, match="a head 'one' already; overwrite=True"):
        model.load_adapter(saved)
    assert model.adapter_summary().rows == ()
    model.load_adapter(saved, overwrite=True)
    assert model.adapter_runtime.heads.get("one").spec.labels == ("no", "yes")
