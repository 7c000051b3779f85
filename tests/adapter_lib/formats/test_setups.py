"""Whole set-ups: everything comes back, or nothing does."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch

from adapter_lib import Fuse, Parallel, Route, Stack
from adapter_lib.spec.errors import AttachError, CompositionError, LoadError, UnknownNameError
from adapter_lib.spec.setup_manifest import SETUP_FILE
from tests.adapter_lib.formats.setups import ADAPTERS, FAMILIES, TREES, first, fresh, furnished, names, shake

NESTED = TREES["nested"]


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("kind", TREES)
def test_every_tree_comes_back(kind: str, family: str, tmp_path: Path) -> None:
    tree = TREES[kind]
    model = furnished(family, tree)
    saved = model.save_adapter_setup(tmp_path / "setup")
    other = fresh(family)
    report = other.load_adapter_setup(tmp_path / "setup")
    assert sum(len(member.matched) for member in report.members) == saved.tensors
    assert report.composition == other.active_adapters == tree
    assert torch.equal(first(other, family, tree), first(model, family, tree))
    assert not torch.equal(first(fresh(family), family, Stack("a"))[:1], first(model, family, tree)[:1])


def _full() -> Any:
    """Heads of adapters and alone, a skipped layer, shared parameters."""
    shared = "mtl_lora[r=4, n_up_projection=2]"
    model = furnished("bert", NESTED)
    for name in "xy":
        model.add_adapter(name, shared)
    model.add_classification_head("a", num_labels=3)
    model.add_classification_head("alone", num_labels=2)
    model.add_classification_head("unused", num_labels=2)
    model.share_parameters(["x", "y"])
    shake(model)
    model.set_active_adapters(Stack(NESTED, "x", "y"), head=["a", "alone"], skip_layers=[1])
    return model


def _logits(model: Any) -> list[torch.Tensor]:
    return list(first(model, "bert", NESTED))


def test_heads_skipped_layers_and_shared_parameters_come_back(tmp_path: Path) -> None:
    model = _full()
    model.save_adapter_setup(tmp_path)
    other = fresh("bert")
    other.load_adapter_setup(tmp_path)
    assert names(other)[3] == names(model)[3]
    assert names(other)[1] == {"a", "alone"}
    assert all(torch.equal(one, two) for one, two in zip(_logits(other), _logits(model), strict=True))
    injection = other.adapter_runtime.injection
    assert injection.unshare(["x", "y"]) == model.adapter_runtime.injection.unshare(["x", "y"]) > 0


def test_what_was_not_asked_for_stays_away(tmp_path: Path) -> None:
    model = _full()
    model.save_adapter_setup(tmp_path, Fuse(Stack("c", "a"), "b", name="inner"))
    other = fresh("bert")
    other.load_adapter_setup(tmp_path, set_active=False)
    assert names(other) == ({"a", "b", "c"}, {"a"}, {("fuse", "inner")}, (None, (), frozenset()))
    manifest = json.loads((tmp_path / SETUP_FILE).read_text())
    assert (manifest["active_heads"], manifest["skip_layers"], manifest["shared"]) == (["a"], [], [])
    with pytest.raises(UnknownNameError, match="no adapter 'z'"):
        model.save_adapter_setup(tmp_path, "z")
    with pytest.raises(UnknownNameError, match="were never added under the name 'a,b'"):
        model.save_adapter_setup(tmp_path, Fuse("a", "b"))
    with pytest.raises(LoadError, match="No composition is active"):
        fresh("bert").save_adapter_setup(tmp_path)


def test_each_folder_is_opened_by_its_own_method(tmp_path: Path) -> None:
    furnished("bert", Stack("c")).save_adapter_setup(tmp_path)
    other = fresh("bert")
    with pytest.raises(LoadError, match="holds a whole set-up: load_adapter_setup"):
        other.load_adapter(tmp_path)
    with pytest.raises(LoadError, match="holds one adapter and no set-up: load_adapter"):
        other.load_adapter_setup(tmp_path / "adapters" / "c")


def test_a_member_is_an_adapter_like_any_other(tmp_path: Path) -> None:
    model = _full()
    model.save_adapter_setup(tmp_path, backbone_id="someone/tiny")
    other = fresh("bert")
    assert other.load_adapter(tmp_path / "adapters" / "c").name == "c"
    document = json.loads((tmp_path / "adapters" / "c" / "adapter_config.json").read_text())
    assert (document["schema_version"], document["backbone"]["id"]) == (1, "someone/tiny")


def test_names_that_exist_are_refused_replaced_or_changed(tmp_path: Path) -> None:
    tree = Stack("c", Fuse("a", "b"), Route("a", "b", name="gate"))
    model = furnished("bert", tree)
    model.add_classification_head("a", num_labels=3)
    model.set_active_adapters(tree)
    model.save_adapter_setup(tmp_path)
    expected = first(model, "bert", tree)
    other = fresh("bert")
    other.add_adapter("a", "ia3")
    other.add_adapter("mine", "lora")
    other.set_active_adapters(Stack("mine", "a"))
    before = names(other)
    with pytest.raises(AttachError, match="The set-up brings a, which is on this model already"):
        other.load_adapter_setup(tmp_path)
    assert names(other) == before
    report = other.load_adapter_setup(tmp_path, rename={"a": "e", "b": "f", "gate": "g"})
    assert (
        report.composition == other.active_adapters == Stack("c", Fuse("e", "f"), Route("e", "f", name="g"))
    )
    assert torch.equal(first(other, "bert", tree), expected)
    assert other.active_head == "e"
    assert [member.name for member in report.members][-2:] == ["fuse/e,f", "route/g"]
    other.load_adapter_setup(tmp_path, overwrite=True, set_active=False)
    assert other.active_adapters is None  # it named c, which was replaced
    assert names(other)[0] == set("abcef") | {"mine"}
    other.set_active_adapters(tree)
    assert torch.equal(first(other, "bert", tree), expected)
    assert not any("~" in key for key in other.state_dict())


@pytest.mark.parametrize(
    ("rename", "said"),
    [
        ({"z": "y"}, "no z that could be renamed; it has a, b, c"),
        ({"a": "b"}, "the same name"),
        ({"a": "../b"}, "cannot name an adapter"),
        ({"a": "x" * 97}, "cannot name an adapter"),
    ],
)
def test_bad_new_names_are_refused(rename: dict[str, str], said: str, tmp_path: Path) -> None:
    furnished("bert", Stack("a", "b", "c")).save_adapter_setup(tmp_path)
    other = fresh("bert")
    with pytest.raises((AttachError, UnknownNameError, CompositionError), match=said):
        other.load_adapter_setup(tmp_path, rename=rename)
    assert names(other) == names(fresh("bert"))


def test_merged_adapters_are_not_replaced(tmp_path: Path) -> None:
    model = furnished("bert", Stack("a", "c"))
    model.save_adapter_setup(tmp_path)
    model.merge_adapter("c")
    with pytest.raises(AttachError, match="c is merged into the weights: reset_adapter"):
        model.load_adapter_setup(tmp_path, overwrite=True)


def test_other_backbones_are_named_or_taken_leniently(tmp_path: Path) -> None:
    model = furnished("bert", NESTED)
    model.save_adapter_setup(tmp_path, backbone_id="someone/tiny")
    other = fresh("bert")
    with torch.no_grad():
        other.encoder.layer[0].attention.self.query.weight.neg_()
    with pytest.raises(LoadError, match="made for someone/tiny"):
        other.load_adapter_setup(tmp_path)
    report = other.load_adapter_setup(tmp_path, strict=False)
    assert all("someone/tiny" in str(member.other_backbone) for member in report.members)
    assert "adapters/d: " in str(report)
    with pytest.raises(LoadError, match="for the family 'bert'; the backbone has 'llama'"):
        fresh("llama").load_adapter_setup(tmp_path, strict=False)


def test_all_of_a_kind_can_be_saved(tmp_path: Path) -> None:
    model = _full()
    model.add_adapter("A", ADAPTERS["a"])
    adapters = model.save_all_adapters(tmp_path / "adapters")
    assert {report.folder.name for report in adapters} == {"a", "A-2", "b", "c", "d", "x", "y"}
    assert len(model.save_all_heads(tmp_path / "heads")) == 3
    assert [report.name for report in model.save_all_adapter_fusions(tmp_path / "fusions")] == ["inner"]
    other = fresh("bert")
    for report in adapters:
        other.load_adapter(report.folder, name=report.name)
    assert names(other)[0] == names(model)[0]


def test_a_zip_of_a_set_up_is_a_set_up(tmp_path: Path) -> None:
    model = furnished("gpt2", Parallel("a", "b"))
    model.save_adapter_setup(tmp_path / "setup")
    archive = shutil.make_archive(str(tmp_path / "packed"), "zip", tmp_path, "setup")
    other = fresh("gpt2")
    other.load_adapter_setup(archive)
    assert torch.equal(first(other, "gpt2", Parallel("a")), first(model, "gpt2", Parallel("a")))
