"""Fusions, routes and heads on disk: round trips, what is counted, and what is refused."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
import transformers as hf
from safetensors.torch import load_file, save_file

import adapter_lib
from adapter_lib import Fuse, Route
from adapter_lib.spec.block_manifest import BLOCK_FILE, BLOCK_WEIGHTS
from adapter_lib.spec.errors import AdapterLibError, AttachError, LoadError, UnknownNameError
from adapter_lib.spec.head_manifest import HEAD_FILE, HEAD_WEIGHTS
from adapter_lib.spec.manifest import ManifestError
from tests.adapter_lib.tiny import build, output, prepared

ADAPTERS = {"a": "seq_bn[reduction_factor=8]", "b": "par_bn[reduction_factor=8]", "c": "lora[r=2]"}


def _shake(model: Any, mark: str) -> None:
    generator = torch.Generator().manual_seed(len(mark))
    with torch.no_grad():
        for key, parameter in model.named_parameters():
            if mark in key:
                parameter.add_(torch.randn(parameter.shape, generator=generator) * 0.3)


def _with_fusion(family: str = "bert", config: str = "dynamic") -> Any:
    model = prepared(family, **ADAPTERS)
    model.add_adapter_fusion(["a", "b"], config)
    _shake(model, "fuse:a,b")
    model.set_active_adapters(Fuse("a", "b"))
    return model


def _without(family: str = "bert") -> Any:
    return prepared(family, **ADAPTERS)


def _change(path: Path, change: Callable[[Any], None]) -> None:
    document = json.loads(path.read_text())
    change(document)
    path.write_text(json.dumps(document))


@pytest.mark.parametrize("family", ["bert", "gpt2", "llama"])
@pytest.mark.parametrize("config", ["dynamic", "static", "dynamic[temperature=true, query_before_ln=true]"])
def test_a_fusion_comes_back(family: str, config: str, tmp_path: Path) -> None:
    model = _with_fusion(family, config)
    saved = model.save_adapter_fusion(tmp_path, ["a", "b"])
    fresh = _without(family)
    report = fresh.load_adapter_fusion(tmp_path)
    assert (report.name, len(report.matched), report.missing) == ("a,b", saved.tensors, ())
    fresh.set_active_adapters(Fuse("a", "b"))
    assert torch.equal(output(fresh), output(model))
    assert sorted(path.name for path in tmp_path.iterdir()) == [BLOCK_WEIGHTS, BLOCK_FILE]


def test_the_temperature_goes_on_where_it_was(tmp_path: Path) -> None:
    model = _with_fusion(config="dynamic[temperature=true]")
    model.train_adapter_fusion(Fuse("a", "b"))
    for _ in range(3):
        output(model)
    model.eval()
    model.save_adapter_fusion(tmp_path, "a,b")
    assert int(load_file(tmp_path / BLOCK_WEIGHTS)["layers.0.ffn.calls"]) == 3
    fresh = _without()
    fresh.load_adapter_fusion(tmp_path)
    fresh.set_active_adapters(Fuse("a", "b"))
    assert torch.equal(output(fresh), output(model))


def test_a_route_comes_back_with_a_head(tmp_path: Path) -> None:
    model = _without()
    model.add_classification_head("target", num_labels=3)
    tree = Route("c", Fuse("a", "b"), name="gate")
    model.add_adapter_fusion(["a", "b"])
    model.add_route(tree, "route[top_k=1]")
    _shake(model, "route:gate")
    model.set_active_adapters(tree, head="target")
    model.save_route(tmp_path / "gate", tree, head="target")
    model.save_adapter_fusion(tmp_path / "ab", "a,b")
    fresh = _without()
    fresh.load_adapter_fusion(tmp_path / "ab")
    report = fresh.load_route(tmp_path / "gate")
    assert "head.0.weight" in report.matched
    fresh.set_active_adapters(tree, head="target")
    assert torch.equal(output(fresh), output(model))


def test_adapters_may_have_other_names_here(tmp_path: Path) -> None:
    model = _with_fusion()
    model.save_adapter_fusion(tmp_path, "a,b")
    fresh = prepared("bert", a=ADAPTERS["a"], x=ADAPTERS["b"])
    fresh.delete_adapter("x")
    with pytest.raises(LoadError, match=r"combines a, b; b is not on this model: load that first, or say"):
        fresh.load_adapter_fusion(tmp_path)
    model.save_adapter(tmp_path / "b", "b")
    fresh.load_adapter(tmp_path / "b", name="x")
    assert fresh.load_adapter_fusion(tmp_path, rename={"b": "x"}).name == "a,x"
    fresh.set_active_adapters(Fuse("a", "x"))
    assert torch.equal(output(fresh), output(model))
    assert fresh.load_adapter_fusion(tmp_path, rename={"b": "x"}, name="both").name == "both"


def test_what_exists_is_replaced_only_if_asked(tmp_path: Path) -> None:
    model = _with_fusion()
    model.save_adapter_fusion(tmp_path, "a,b")
    before = output(model)
    _shake(model, "fuse:a,b")
    with pytest.raises(AttachError, match="There is a fuse 'a,b' already; overwrite=True"):
        model.load_adapter_fusion(tmp_path)
    model.load_adapter_fusion(tmp_path, overwrite=True)
    model.set_active_adapters(Fuse("a", "b"))
    assert torch.equal(output(model), before)
    with pytest.raises(UnknownNameError, match="no route 'a,b' on this model; there are: none"):
        model.save_route(tmp_path, ["a", "b"])
    with pytest.raises(LoadError, match="holds the fuse 'a,b', not a route"):
        model.load_route(tmp_path)
    model.delete_adapter("b")
    with pytest.raises(LoadError, match="was added for 'b', which is not on this model any more"):
        model.save_adapter_fusion(tmp_path, "a,b")


def test_tensors_are_counted_or_refused(tmp_path: Path) -> None:
    _with_fusion().save_adapter_fusion(tmp_path, "a,b")
    tensors = load_file(tmp_path / BLOCK_WEIGHTS)
    del tensors["layers.0.ffn.value.weight"]
    tensors["layers.7.ffn.value.weight"] = torch.zeros(32, 32)
    tensors["layers.1.ffn.key.bias"] = torch.zeros(5)
    save_file(tensors, tmp_path / BLOCK_WEIGHTS)
    model = _without()
    with pytest.raises(LoadError, match=r"value\.weight \[32, 32\] is missing"):
        model.load_adapter_fusion(tmp_path)
    assert model.adapter_runtime.injection.blocks == {}
    report = model.load_adapter_fusion(tmp_path, strict=False)
    assert (report.missing, report.unexpected) == (
        ("layers.0.ffn.value.weight",),
        ("layers.7.ffn.value.weight",),
    )
    assert report.wrong_shape == ("layers.1.ffn.key.bias",)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda d: d.update(schema_version=3), "newer schema version"),
        (lambda d: d.update(schema_version=1), "whole number from 2 to 2"),
        (lambda d: d.update(children=10**9), "children must be a whole number"),
        (lambda d: d.update(kind="stack"), "kind must be one of fuse, route"),
        (lambda d: d.update(name="../../x"), "cannot name an adapter"),
        (lambda d: d.update(adapters=["a", "a"]), "names an adapter twice"),
        (lambda d: d.update(adapters=["a", ".."]), "cannot name an adapter"),
        (lambda d: d["config"].update(bogus=1), "has no key 'bogus'"),
        (lambda d: d.update(extra=1), "extra' is not a known key"),
        (lambda d: d.update(format="other"), "is none of this library's"),
        (lambda d: d.update(head_name="x"), "head_name and head must both be there"),
        (lambda d: d.update(family="gpt2"), "made for the family 'gpt2'"),
    ],
)
def test_hostile_files_give_one_error(change: Any, said: str, tmp_path: Path) -> None:
    _with_fusion().save_adapter_fusion(tmp_path, "a,b")
    _change(tmp_path / BLOCK_FILE, change)
    model = _without()
    before = list(model.state_dict())
    with pytest.raises(AdapterLibError, match=said):
        model.load_adapter_fusion(tmp_path, strict=False)
    assert list(model.state_dict()) == before


def test_truncated_and_foreign_files_are_refused(tmp_path: Path) -> None:
    model = _with_fusion()
    model.save_adapter_fusion(tmp_path, "a,b")
    weights = (tmp_path / BLOCK_WEIGHTS).read_bytes()
    (tmp_path / BLOCK_WEIGHTS).write_bytes(weights[:-7])
    fresh = _without()
    with pytest.raises(AdapterLibError):
        fresh.load_adapter_fusion(tmp_path)
    (tmp_path / BLOCK_FILE).write_text("[" * 100_000)
    with pytest.raises(ManifestError, match=r"block_config\.json is not valid JSON"):
        fresh.load_adapter_fusion(tmp_path)
    (tmp_path / BLOCK_FILE).unlink()
    with pytest.raises(LoadError, match=r"block_config\.json cannot be read"):
        fresh.load_adapter_fusion(tmp_path)
    assert fresh.adapter_runtime.injection.blocks == {}


def test_a_head_comes_back_alone(tmp_path: Path) -> None:
    model = adapter_lib.init(build("bert"))
    model.add_classification_head("old", labels=["no", "yes"], layers=2)
    model.active_head = "old"
    model.save_head(tmp_path, "old")
    fresh = adapter_lib.init(build("bert"))
    assert fresh.load_head(tmp_path, name="new").matched == tuple(sorted(load_file(tmp_path / HEAD_WEIGHTS)))
    fresh.active_head = "new"
    assert torch.equal(output(fresh), output(model))
    assert fresh.adapter_runtime.heads.get("new").spec.labels == ("no", "yes")
    with pytest.raises(AttachError, match="There is a head 'new' already"):
        fresh.load_head(tmp_path, name="new")
    fresh.load_head(tmp_path, name="new", overwrite=True)
    _change(tmp_path / HEAD_FILE, lambda d: d["head"].update(layers=7))
    with pytest.raises(LoadError, match="is missing"):
        fresh.load_head(tmp_path)


def _t5() -> Any:
    torch.manual_seed(7)
    config = hf.T5Config(d_model=32, d_kv=8, d_ff=48, num_layers=2, num_heads=4, vocab_size=120)
    return adapter_lib.init(hf.T5ForConditionalGeneration(config).eval())


def test_t5_keeps_its_fusions_in_both_towers(tmp_path: Path) -> None:
    given = {"input_ids": torch.tensor([[3, 4, 5]]), "decoder_input_ids": torch.tensor([[0, 7]])}
    model, other = _t5(), _t5()
    for name in "ab":
        model.add_adapter(name, "seq_bn[reduction_factor=8]")
        _shake(model, f"adapter:{name}")
        model.save_adapter(tmp_path / name, name)
        other.load_adapter(tmp_path / name)
    model.add_adapter_fusion(["a", "b"])
    _shake(model, "fuse:")
    model.save_adapter_fusion(tmp_path / "ab", "a,b")
    assert len(other.load_adapter_fusion(tmp_path / "ab").matched) == 20
    for each in (model, other):
        each.set_active_adapters(Fuse("a", "b"))
    with torch.no_grad():
        assert torch.equal(model(**given).logits, other(**given).logits)
