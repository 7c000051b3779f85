"""Set-ups of strangers: one clear error each, and the model as it was."""

import json
import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from adapter_lib import Fuse, Route, Split, Stack
from adapter_lib.spec.errors import AdapterLibError
from adapter_lib.spec.manifest import WEIGHTS_FILE
from adapter_lib.spec.setup_manifest import SETUP_FILE
from tests.adapter_lib.formats.setups import first, fresh, furnished, names, shake
from tests.adapter_lib.formats.test_atomic import killed_while

TREE = Stack("c", Fuse("a", "b"), Route("a", "b", name="gate"))
Change = Callable[[Any], object]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    model = furnished("bert", TREE)
    model.add_classification_head("alone", num_labels=2)
    model.set_active_adapters(TREE, head="alone")
    model.save_adapter_setup(tmp_path / "setup")
    return tmp_path / "setup"


def _lived_in() -> Any:
    """A model with adapters, a head and a fusion of its own, whose names are those of the set-up."""
    model = fresh("bert")
    for name in "ab":
        model.add_adapter(name, "lora[r=2]")
    model.add_classification_head("alone", num_labels=3)
    model.add_adapter_fusion(["a", "b"], "static")
    shake(model)
    model.set_active_adapters(Fuse("a", "b"), head="alone", skip_layers=[0])
    return model


def _refused(folder: Path, said: str) -> None:
    """The set-up is refused, leniently too, and the model is as it was, bit for bit."""
    model = _lived_in()
    before, state = names(model), {key: value.clone() for key, value in model.state_dict().items()}
    output = first(model, "bert", TREE)
    with pytest.raises(AdapterLibError, match=said) as caught:
        model.load_adapter_setup(folder, overwrite=True, strict=False)
    assert len(str(caught.value)) < 700
    assert names(model) == before
    assert list(model.state_dict()) == list(state)
    assert all(torch.equal(value, state[key]) for key, value in model.state_dict().items())
    assert torch.equal(first(model, "bert", TREE), output)


def _change(path: Path, change: Change) -> None:
    document = json.loads(path.read_text())
    change(document)
    path.write_text(json.dumps(document))


def _deep(depth: int) -> Any:
    node: Any = "a"
    for _ in range(depth):
        node = {"type": "stack", "children": [node]}
    return node


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda d: d["adapters"][0].update(folder="../../etc"), "must be a folder such as adapters/name"),
        (lambda d: d["adapters"][0].update(folder="/etc"), "must be a folder such as adapters/name"),
        (lambda d: d["adapters"][0].update(folder="adapters/.."), "must be a folder such as adapters/name"),
        (lambda d: d["adapters"][0].update(name="../c"), "cannot name an adapter"),
        (lambda d: d["adapters"].append(d["adapters"][0]), "is twice among the adapters"),
        (lambda d: d["adapters"].pop(), "composition names 'b', which adapters does not"),
        (lambda d: d["adapters"].extend([d["adapters"][0]] * 2000), "at most 1000 objects"),
        (lambda d: d.update(composition=_deep(200)), "nested deeper than 32 levels"),
        (lambda d: d["composition"].update(type="evil"), "no composition block 'evil'"),
        (lambda d: d["composition"].update(type="x" * 100_000), "no composition block"),
        (lambda d: d["composition"].update(more=1), "no setting 'more'"),
        (
            lambda d: d.update(composition={"type": "split", "children": ["a", "b"], "splits": [1]}),
            "splits must",
        ),
        (lambda d: d.update(composition=["a"]), "composition must be an object"),
        (lambda d: d["blocks"].pop(), "composition names 'route gate', which blocks does not"),
        (
            lambda d: d["blocks"].append(dict(d["blocks"][0], name="x", folder="blocks/x")),
            "blocks names 'fuse x'",
        ),
        (lambda d: d.update(active_heads=["none"]), "active_heads names 'none'"),
        (lambda d: d.update(active_heads=["c"]), "has no head 'c'"),
        (lambda d: d.update(shared=[{"adapters": ["a", "q"]}]), "shared names 'q'"),
        (lambda d: d.update(shared=[{"adapters": ["a", "b"]}]), "no parameters that adapters can share"),
        (lambda d: d.update(skip_layers=[10**9]), "whole numbers from 0 to 10000"),
        (lambda d: d.update(skip_layers=[5]), "skip_layers must be layers from 0 to 1"),
        (lambda d: d.update(embeddings={"name": "e", "folder": "embeddings/e"}), "cannot be read"),
        (lambda d: d.update(embeddings={"name": "e", "folder": "adapters/../e"}), "must be a folder"),
        (lambda d: d.update(schema_version=3), "newer schema version"),
        (lambda d: d.update(extra=1), "'extra' is not a known key"),
        (lambda d: d["backbone"].update(fingerprint="x"), "hex digits"),
        (lambda d: d["adapters"][0].update(folder="blocks/other"), "cannot be read"),
    ],
)
def test_manifests(change: Change, said: str, folder: Path) -> None:
    _change(folder / SETUP_FILE, change)
    _refused(folder, said)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[" * 200_000, "is not valid JSON"),
        ('{"a": ' * 50_000 + "1" + "}" * 50_000, "is not valid JSON"),
        ("{}", "does not say"),
        ("[]", "must hold a JSON object"),
        ('{"format": NaN}', "NaN"),
        ('{"a": 1, "a": 2}', "twice"),
        (" " * 2_000_000, "bytes allowed"),
    ],
)
def test_texts(text: str, said: str, folder: Path) -> None:
    (folder / SETUP_FILE).write_text(text)
    _refused(folder, said)


@pytest.mark.parametrize("member", ["adapters/b", "heads/alone", "blocks/a_b", "blocks/gate"])
def test_members_that_are_damaged(member: str, folder: Path) -> None:
    [weights] = (folder / member).glob("*.safetensors")
    whole = weights.read_bytes()
    weights.write_bytes(whole[:-3])
    _refused(folder, "bytes")
    weights.write_bytes(b"\xff" * 8 + whole[8:])
    _refused(folder, "header")
    weights.unlink()
    _refused(folder, "cannot be read")


@pytest.mark.parametrize(
    ("member", "change", "said"),
    [
        ("blocks/a_b/block_config.json", lambda d: d.update(name="other"), "its file is of 'other'"),
        ("blocks/a_b/block_config.json", lambda d: d.update(children=3), "its file is of 'a,b' over 3"),
        ("blocks/a_b/block_config.json", lambda d: d.update(kind="route"), "not a fuse|has no key|does not"),
        ("blocks/a_b/block_config.json", lambda d: d.update(adapters=["a", "z"]), "z is not on this model"),
        ("adapters/a/adapter_config.json", lambda d: d.update(method="lora"), "has no key"),
        ("adapters/c/adapter_config.json", lambda d: d["config"].update(r="x"), "r must be"),
        ("heads/alone/head_config.json", lambda d: d["head"].update(type="x"), "head.type"),
        ("heads/alone/head_config.json", lambda d: d.update(head=None), "must be an object"),
    ],
)
def test_members_that_say_something_else(member: str, change: Change, said: str, folder: Path) -> None:
    _change(folder / member, change)
    _refused(folder, said)


def test_huge_sizes_allocate_nothing(folder: Path) -> None:
    _change(folder / "adapters" / "c" / "adapter_config.json", lambda d: d["config"].update(r=10**9))
    model = _lived_in()
    with pytest.raises(AdapterLibError, match="1000000000"):
        model.load_adapter_setup(folder, overwrite=True)
    _refused(folder, "asks for 256000000000 numbers, but its file has 512")


@pytest.mark.parametrize("step", ["native.attach", "head_files.attach", "blocks.attach"])
def test_whatever_stops_it_is_undone(step: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = _lived_in()
    before, state = names(model), list(model.state_dict())

    def stop(*given: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(f"adapter_lib.formats.{step}", stop)
    with pytest.raises(KeyboardInterrupt):
        model.load_adapter_setup(folder, overwrite=True)
    assert (names(model), list(model.state_dict())) == (before, state)


def test_wrong_keys_and_types_are_counted_or_refused(folder: Path) -> None:
    path = folder / "adapters" / "c" / WEIGHTS_FILE
    tensors = load_file(path)
    key = sorted(tensors)[0]
    tensors["bogus"] = tensors.pop(key)
    tensors[sorted(tensors)[1]] = torch.zeros(4, 32, dtype=torch.int64)
    save_file(tensors, path)
    model = _lived_in()
    before = names(model)
    with pytest.raises(AdapterLibError, match="is missing"):
        model.load_adapter_setup(folder, overwrite=True)
    assert names(model) == before
    report = model.load_adapter_setup(folder, overwrite=True, strict=False)
    [lora] = [member for member in report.members if member.name == "adapters/c"]
    assert (lora.missing, lora.unexpected, len(lora.wrong_shape)) == ((key,), ("bogus",), 1)


def test_a_composition_that_cannot_act_takes_everything_off_again(tmp_path: Path) -> None:
    """Prompts cannot be split: that shows only when everything is attached."""
    model = fresh("bert")
    for name in "pq":
        model.add_adapter(name, "prompt_tuning[prompt_length=2]")
    model.set_active_adapters("p")
    model.save_adapter_setup(tmp_path, Stack("p", "q"))
    split = Split("p", "q", splits=[2, 2]).to_json()
    _change(tmp_path / SETUP_FILE, lambda d: d.update(composition=split))
    _refused(tmp_path, "Split")


def test_a_killed_save_leaves_the_former_set_up(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = furnished("bert", TREE)
    shake(model)
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}

    def die(*given: object) -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    def save() -> None:
        monkeypatch.setattr("adapter_lib.formats.blocks.write_tensors", die)
        model.save_adapter_setup(folder)

    killed_while(save)
    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before
    model.save_adapter_setup(folder)
    assert [path.name for path in folder.parent.iterdir() if not path.name.startswith(".")] == ["setup"]
    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} != before
