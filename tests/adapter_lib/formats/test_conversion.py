"""What importers make, on its way onto a model."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from adapter_lib.formats.conversion import (
    Imported,
    attach_imported,
    check_imported,
    exportable,
    parameters_of,
)
from adapter_lib.points import like_of
from adapter_lib.spec.configs import LoRAConfig
from adapter_lib.spec.errors import AdapterLibError, LoadError
from adapter_lib.spec.heads import ClassificationSpec
from adapter_lib.spec.manifest import BackboneRef
from tests.adapter_lib.formats.adapterhub import folders

_BACKBONE = BackboneRef("org/base", None, "0" * 8, "bert", 32, 2)
_HEAD = ClassificationSpec(("x", "y"), "cls", 1)
_KEY = "layers.0.attn.q.lora_a"


def _imported(model: Any, **changes: Any) -> Imported:
    """A LoRA for a model, as an importer would make it."""
    other = folders.model()
    other.add_adapter("a", LoRAConfig(r=2))
    tensors = {
        key: torch.full_like(value, 0.3)
        for key, value in parameters_of(other.adapter_runtime.injection, "a").items()
    }
    return replace(Imported("peft", "a", LoRAConfig(r=2), tensors), **changes)


def _attach(model: Any, found: Imported, *, strict: bool = True) -> Any:
    runtime = model.adapter_runtime
    problems = check_imported(found, runtime.injection.atlas, Path("folder"), strict=strict)
    return attach_imported(found, runtime.injection, runtime.heads, "b", like_of(model), problems)


def test_everything_is_filled() -> None:
    model = folders.model()
    found = _imported(
        model, head=_HEAD, head_tensors={"0.weight": torch.ones(2, 32), "0.bias": torch.ones(2)}
    )
    report = _attach(model, found)
    assert set(report.matched) == set(found.all_tensors())
    assert str(report) == "b: 10 tensors loaded, 0 missing, 0 unexpected, 0 of a wrong shape"
    own = parameters_of(model.adapter_runtime.injection, "b")
    assert all(torch.equal(own[key], value) for key, value in found.tensors.items())
    assert torch.equal(model.adapter_runtime.heads.get("b").get_parameter("0.weight"), torch.ones(2, 32))


def test_what_is_left_out_is_counted() -> None:
    model = folders.model()
    found = _imported(model, notes=("A note.",), set_aside={"x": "why"}, unexpected=("y",))
    wrong = {_KEY: torch.ones(7), "layers.1.attn.q.lora_a": torch.ones(2, 32, dtype=torch.int64)}
    kept = {key: value for key, value in found.tensors.items() if key != "layers.0.attn.q.lora_b"}
    found = replace(found, tensors={**kept, **wrong, "more": torch.ones(1)})
    with pytest.raises(LoadError, match=r"tensor layers\.0\.attn\.q\.lora_b \[32, 2\]\. .*There are 2 more"):
        _attach(model, found)
    assert model.adapter_runtime.injection.configs == {}
    report = _attach(model, found, strict=False)
    assert report.missing == ("layers.0.attn.q.lora_b",)
    assert set(report.unexpected) == {"more", "y"}
    assert set(report.wrong_shape) == set(wrong)
    assert str(report) == (
        "b: 5 tensors loaded, 1 missing, 2 unexpected, 2 of a wrong shape, 1 set aside. A note."
    )


def test_the_models_own_parameters_are_replaced() -> None:
    model = folders.model()
    path, value = "pooler.dense.bias", torch.full((32,), 2.0)
    report = _attach(model, _imported(model, replaced={path: value}))
    assert report.replaced == (path,)
    assert torch.equal(model.get_parameter(path), value)


@pytest.mark.parametrize(("path", "shape"), [("no.such", (32,)), ("pooler.dense.bias", (3,))])
def test_a_parameter_that_is_not_there(path: str, shape: tuple[int, ...]) -> None:
    model = folders.model()
    with pytest.raises(LoadError, match="which this model does not have"):
        _attach(model, _imported(model, replaced={path: torch.zeros(shape)}))
    assert model.adapter_runtime.injection.configs == {}


def test_a_head_that_cannot_be_made() -> None:
    """The activation is none of ours: the adapter does not stay without its head."""
    model, spec = folders.model(), ClassificationSpec(("x", "y"), "cls", 1, "magic")
    head = {"0.weight": torch.ones(2, 32), "0.bias": torch.ones(2)}
    with pytest.raises(AdapterLibError, match="magic"):
        _attach(model, _imported(model, head=spec, head_tensors=head))
    assert model.adapter_runtime.injection.configs == {}


def test_what_is_filled_is_not_called_loaded() -> None:
    model = folders.model()
    report = _attach(model, _imported(model, filled=(_KEY,)))
    assert report.filled == (_KEY,)
    assert _KEY not in report.matched
    assert "1 filled with what changes nothing" in str(report)


def test_an_exporter_sees_copies() -> None:
    model = folders.model()
    model.add_adapter("a", LoRAConfig(r=2))
    model.add_classification_head("a", num_labels=2)
    runtime = model.adapter_runtime
    given = exportable(runtime.injection, runtime.heads.get("a"), "a", _BACKBONE)
    assert set(given.tensors) == set(parameters_of(runtime.injection, "a"))
    assert set(given.head_tensors) == {"0.weight", "0.bias"}
    next(iter(given.tensors.values())).fill_(9)
    assert not any((p == 9).all() for p in parameters_of(runtime.injection, "a").values())
