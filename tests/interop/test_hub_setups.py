"""Fusions and whole set-ups of AdapterHub's library: recorded ones, and ours there and back."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from adapter_lib.spec.composition import Average, BatchSplit, Fuse, Parallel, Split, Stack
from adapter_lib.spec.errors import AdapterLibError, AttachError, ConfigError, LoadError
from tests.interop import hub_exports as exports
from tests.interop.reading import Reference, reference

_CONFIG, _WEIGHTS = "adapter_fusion_config.json", "model_adapter_fusion.safetensors"
_SETUP = "adapter_setup.json"


def _relative(one: torch.Tensor, other: torch.Tensor) -> float:
    return float((one - other).abs().max()) / max(1.0, float(other.abs().max()))


def _recorded(case: Reference, folder: Path) -> Path:
    """A folder as the peer's `save_adapter_setup` writes it, from what it wrote of the parts."""
    folder.mkdir()
    for name, path in case.adapters.items():
        (folder / name).symlink_to(path)
    if case.fusion is not None:
        (folder / json.loads((case.fusion / _CONFIG).read_text(encoding="utf-8"))["name"]).symlink_to(
            case.fusion
        )
    setup = {"adapter_setup": case.setup, "head_setup": None, "version": "adapters.1.3.0"}
    (folder / _SETUP).write_text(json.dumps(setup), encoding="utf-8")
    return folder


@pytest.mark.parametrize(
    "name",
    ["fuse_dynamic", "fuse_static", "stack_bn", "parallel_bn", "split_bn", "stack_bn_fuse", "average_bn_raw"],
)
def test_a_recorded_setup(tmp_path: Path, name: str) -> None:
    case, model = reference("adapters", "bert", name), exports.prepared("bert")
    report = model.load_adapter_setup(_recorded(case, tmp_path / "setup"))
    assert {each.format for each in report.members} == {"adapterhub"}
    assert all(each.name.startswith(("adapters/", "fuse/")) for each in report.members)
    for variant in case.variants:
        ours = exports.outputs(model, case, variant)["last_hidden_state"]
        assert _relative(ours, case.outputs(variant)["last_hidden_state"].double()) < 1e-5


def _fused(*, config: str = "dynamic") -> Any:
    """A BERT with two bottlenecks and what a Fuse of them has learned, active."""
    model = exports.prepared("bert")
    for name in ("a", "b"):
        model.add_adapter(name, "seq_bn[reduction_factor=4]")
    model.add_adapter_fusion(Fuse("a", "b"), config)
    torch.manual_seed(5)
    with torch.no_grad():
        for parameter in _parameters(model):
            parameter.add_(torch.randn_like(parameter) * 0.2)
    model.set_active_adapters(Fuse("a", "b"))
    return model


def _parameters(model: Any) -> list[torch.nn.Parameter]:
    injection = model.adapter_runtime.injection
    found = [parameter for name in injection.configs for parameter in injection.trained(name)]
    for block in injection.blocks:
        found += [p for part in injection.block_parts(*block).values() for p in part.parameters()]
    return found


def test_a_fusion_there_and_back(tmp_path: Path) -> None:
    first, second = _fused(), exports.prepared("bert")
    first.save_adapter_setup(tmp_path, format="adapterhub")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "a,b", _SETUP, "b"]
    report = second.load_adapter_setup(tmp_path)
    assert report.composition == Fuse("a", "b")
    case = exports.case_of("bert")
    one, two = (exports.outputs(model, case)["last_hidden_state"] for model in (first, second))
    assert torch.equal(one, two)


@pytest.mark.parametrize(
    "composition",
    [
        Stack("a", "b"),
        Parallel("a", "b"),
        BatchSplit("a", "b", batch_sizes=[1, 2]),
        Split("a", "b", splits=[3, 4]),
        Stack("a", Parallel("b", "c")),
    ],
)
def test_a_composition_there_and_back(tmp_path: Path, composition: Any) -> None:
    first, second = exports.prepared("bert"), exports.prepared("bert")
    for name in composition.names():
        first.add_adapter(name, "seq_bn")
    first.save_adapter_setup(tmp_path, composition, format="adapterhub")
    assert second.load_adapter_setup(tmp_path).composition == composition


@pytest.mark.parametrize(
    ("composition", "sentence"),
    [
        (Average("a", "b"), "divides by the number of children"),
        (Parallel(Stack("a", "b"), "b"), "a block inside a block"),
        (Stack("a", Parallel(Stack("a", "b"), "b")), "a block inside a block"),
        (Stack("l", "m"), "feeds the update of 'l' into 'm'"),
    ],
)
def test_what_the_peer_computes_otherwise_is_refused(tmp_path: Path, composition: Any, sentence: str) -> None:
    model = exports.prepared("bert")
    for name in ("a", "b"):
        model.add_adapter(name, "seq_bn")
    for name in ("l", "m"):
        model.add_adapter(name, "lora")
    with pytest.raises(LoadError, match=sentence):
        model.save_adapter_setup(tmp_path / "there", composition, format="adapterhub")
    assert not (tmp_path / "there").exists()


@pytest.mark.parametrize(
    ("last", "config", "sentence"),
    [
        ("par_bn", "dynamic", "sequential bottlenecks only"),
        ("lora", "dynamic", "sequential bottlenecks only"),
        ("double_seq_bn", "dynamic", r"query_before_ln=true is the same"),
        ("seq_bn", "dynamic[temperature=true]", "how far a temperature has fallen"),
    ],
)
def test_a_fusion_that_differs_there_is_refused(
    tmp_path: Path, last: str, config: str, sentence: str
) -> None:
    model = exports.prepared("bert")
    model.add_adapter("a", "seq_bn")
    model.add_adapter("b", last)
    model.add_adapter_fusion(["a", "b"], config)
    with pytest.raises(LoadError, match=sentence):
        model.save_adapter_fusion(tmp_path, ["a", "b"], format="adapterhub")


def test_other_formats(tmp_path: Path) -> None:
    model = _fused()
    with pytest.raises(ConfigError, match="format must be native or adapterhub here, not 'peft'"):
        model.save_adapter_fusion(tmp_path, "a,b", format="peft")
    with pytest.raises(ConfigError, match="format must be native or adapterhub here, not 'peft'"):
        model.save_adapter_setup(tmp_path, format="peft")


def test_renamed_adapters(tmp_path: Path) -> None:
    first, second = _fused(), exports.prepared("bert")
    first.save_adapter_setup(tmp_path, format="adapterhub")
    second.load_adapter(tmp_path / "a", name="x")
    second.load_adapter(tmp_path / "b", name="y")
    with pytest.raises(LoadError, match=r"combines a, b; a, b is not on this model"):
        second.load_adapter_fusion(tmp_path / "a,b")
    report = second.load_adapter_fusion(tmp_path / "a,b", rename={"a": "x", "b": "y"})
    assert report.name == "x,y"
    with pytest.raises(AttachError, match="There is a fuse 'x,y' already"):
        second.load_adapter_fusion(tmp_path / "a,b", rename={"a": "x", "b": "y"})
    second.load_adapter_fusion(tmp_path / "a,b", rename={"a": "x", "b": "y"}, overwrite=True)
    second.set_active_adapters(Fuse("x", "y"))
    case = exports.case_of("bert")
    one, two = (exports.outputs(model, case)["last_hidden_state"] for model in (first, second))
    assert torch.equal(one, two)


@pytest.mark.parametrize("config", ["dynamic", "static"])
def test_a_config_that_is_a_name(tmp_path: Path, config: str) -> None:
    first, second = _fused(config=config), _fused(config=config)
    first.save_adapter_fusion(tmp_path, "a,b", format="adapterhub")
    document = json.loads((tmp_path / _CONFIG).read_text(encoding="utf-8"))
    del document["adapter_names"]
    (tmp_path / _CONFIG).write_text(json.dumps(document | {"config": config}), encoding="utf-8")
    second.load_adapter_fusion(tmp_path, overwrite=True)
    injections = [model.adapter_runtime.injection for model in (first, second)]
    assert injections[0].blocks == injections[1].blocks


def _broken(folder: Path, change: Any) -> None:
    tensors = load_file(folder / _WEIGHTS)
    change(tensors)
    save_file(tensors, folder / _WEIGHTS)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda t: t.pop(next(iter(t))), r"has nothing for layers\.\d\.ffn\.\w+\.\w+ \[32"),
        (lambda t: t.update({next(iter(t)): torch.zeros(3)}), r"has \[3\] for layers\.\d\.ffn"),
        (lambda t: t.update({"bert.more": torch.zeros(3)}), r"without a place: bert\.more"),
        (lambda t: t.update({f"{next(iter(t))}.more": torch.zeros(3)}), r"more, which has no place"),
    ],
)
def test_a_fusion_that_does_not_fit(tmp_path: Path, change: Any, sentence: str) -> None:
    model = _fused()
    model.save_adapter_setup(tmp_path, format="adapterhub")
    _broken(tmp_path / "a,b", change)
    second = exports.prepared("bert")
    with pytest.raises(LoadError, match=sentence):
        second.load_adapter_setup(tmp_path)
    # All or nothing: the adapters, which fit, are gone too.
    assert second.adapter_runtime.injection.configs == {}
    assert second.adapter_runtime.injection.blocks == {}


@pytest.mark.parametrize(
    ("setup", "sentence"),
    [
        ({"type": "single", "children": ["../a"]}, "cannot name an adapter"),
        ({"type": "Stack", "children": "ab"}, "is no composition as AdapterHub"),
        ({"type": "Stack", "children": [], "more": 1}, "is no composition as AdapterHub"),
        ({"type": "Average", "children": ["a"], "kwargs": {"weights": "x"}}, "must be a list of numbers"),
        ({"type": "Stack", "children": ["a"], "kwargs": [1]}, "are no settings"),
        ({"type": "Tower", "children": ["a"]}, "[Tt]ower"),
        (None, "is no composition as AdapterHub"),
    ],
)
def test_a_setup_that_cannot_be(tmp_path: Path, setup: object, sentence: str) -> None:
    (tmp_path / _SETUP).write_text(json.dumps({"adapter_setup": setup}), encoding="utf-8")
    with pytest.raises(AdapterLibError, match=sentence):
        exports.prepared("bert").load_adapter_setup(tmp_path)
