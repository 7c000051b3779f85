"""AdapterHub → native → AdapterHub: what `adapters` saved is written again, by tensor and by field."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from adapter_lib.spec.errors import LoadError
from tests.adapter_lib.zoo.spreading import spread
from tests.interop import ours
from tests.interop.reading import Reference, families, reference, references

_COPIES = ".prefix_tuning.pool."
_CONFIG, _WEIGHTS = "adapter_config.json", "adapter.safetensors"
# Fields that say how an adapter started, and what the peer does not look at.
_STARTS = (
    "init_weights",
    "init_weights_seed",
    "dtype",
    "prompt_init",
    "prompt_init_text",
    "vera_d",
    "vera_b",
)
# Read as something else that computes the same: files that differ from those they came from.
_OTHERWISE = ("vera", "dvora")
_UNIONS = (("albert", "double_seq_bn"),)
# What is refused, with what the sentence says.
_REFUSED = {
    ("bert", "prompt_tuning"): "position embeddings",
    ("bert", "prompt_tuning_after_bos"): "position embeddings",
    ("t5", "prefix_tuning_leave_out"): "leave none out",
}
_NO_PLACE = ("whisper", "seq_bn_inv")
_FULL = ("bert", "gpt2", "llama", "t5", "vit")


def _checkpoints(*, is_full: bool) -> Iterator[Any]:
    """(family, checkpoint) of the families with every method, or of the others."""
    for family in families("adapters"):
        if (family in _FULL) is not is_full:
            continue
        seen: set[str] = set()
        for case in references("adapters", family=family):
            for name in case.adapters:
                if name not in seen and (family, name) != _NO_PLACE and not name.startswith("head"):
                    seen.add(name)
                    yield family, case.case, name


def _again(case: Reference, name: str, folder: Path) -> Path:
    model = ours.base_model(case.base)
    model.load_adapter(case.adapters[name], name=name)
    try:
        model.save_adapter(folder, name, format="adapterhub")
    finally:
        model.delete_adapter(name)
    return folder


def _check(family: str, case: str, name: str, folder: Path) -> None:
    found = reference("adapters", family, case)
    refused = _REFUSED.get((family, name))
    if refused is not None:
        with pytest.raises(LoadError, match=refused):
            _again(found, name, folder)
        return
    again = load_file(_again(found, name, folder) / _WEIGHTS)
    if name in _OTHERWISE or (family, name) in _UNIONS:
        return
    before = {k: v for k, v in load_file(found.adapters[name] / _WEIGHTS).items() if _COPIES not in k}
    assert _comparable(before) == _comparable(again)
    for key, value in again.items():
        if "reft" not in key:  # orthonormal rows have many forms, and idle units are filled with their like
            torch.testing.assert_close(value.float(), before[key], atol=1e-6, rtol=0)
    documents = [
        json.loads((path / _CONFIG).read_text(encoding="utf-8")) for path in (found.adapters[name], folder)
    ]
    one, other = (_without_starts(document.pop("config")) for document in documents)
    assert one == other
    assert documents[0] == documents[1]


def _document(folder: Path) -> Any:
    return json.loads((folder / _CONFIG).read_text(encoding="utf-8"))


def _comparable(tensors: Any) -> set[str]:
    """The keys; a projection that is not orthonormal any more is written plainly."""
    return {key.split("projection.")[0] for key in tensors}


def _without_starts(config: Any) -> Any:
    if "configs" in config:
        members = [_without_starts(member) for member in config["configs"]]
        return {**config, "configs": members}
    rest = {key: value for key, value in config.items() if key not in _STARTS}
    return rest | {"orthogonality": None} if config.get("architecture") == "reft" else rest


@pytest.mark.parametrize(("family", "case", "name"), spread(_checkpoints(is_full=False), 2))
def test_a_file_of_another_family(family: str, case: str, name: str, tmp_path: Path) -> None:
    _check(family, case, name, tmp_path)


@pytest.mark.matrix
@pytest.mark.parametrize(("family", "case", "name"), list(_checkpoints(is_full=True)))
def test_a_file(family: str, case: str, name: str, tmp_path: Path) -> None:
    _check(family, case, name, tmp_path)
