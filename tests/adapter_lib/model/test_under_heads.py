"""Adapters with heads: of ours and of transformers, copied, saved, trained and taken off."""

import copy
import pickle
from typing import Any

import pytest
import torch
import transformers as hf
from torch import nn

import adapter_lib
from adapter_lib import Parallel
from tests.adapter_lib.tiny import (
    DECODERS,
    FAMILIES,
    build,
    inputs,
    output,
    prepared,
    trained_parameters,
)

# One method for each kind of place; the contract runs all of them without heads.
METHODS = (
    "lora[r=3, targets=[q, v, down]]",
    "double_seq_bn",
    "prefix_tuning[prefix_length=3]",
    "loreft[r=2]",
)
pytestmark = [pytest.mark.parametrize("family", FAMILIES), pytest.mark.parametrize("method", METHODS)]


def test_detaching_restores_the_model_and_its_class(family: str, method: str) -> None:
    base = build(family)
    model = prepared(family, one=method)
    model.add_classification_head("one", num_labels=2)
    model.train_adapter("one")
    assert adapter_lib.detach(model) is model
    assert type(model) is type(base)
    assert list(model.state_dict()) == list(base.state_dict())
    for key, value in base.state_dict().items():
        assert torch.equal(model.state_dict()[key], value), key
    assert all(parameter.requires_grad for parameter in model.parameters())
    assert _hooks(model) == 0
    assert torch.equal(output(model.eval()), output(base))


def test_copies_and_pickles_stand_alone(family: str, method: str) -> None:
    model = prepared(family, one=method)
    model.add_classification_head("one", num_labels=3)
    model.active_adapters = "one"
    expected = output(model)
    for twin in (copy.deepcopy(model), pickle.loads(pickle.dumps(model))):  # noqa: S301  (our own bytes)
        assert type(twin) is type(model)
        assert torch.equal(output(twin), expected)
        twin.delete_head("one")
        twin.delete_adapter("one")
        assert torch.equal(output(twin), output(build(family)))
    assert torch.equal(output(model), expected)


def test_gradients_reach_the_adapter_and_its_head_alone(family: str, method: str) -> None:
    model = prepared(family, one=method, other="seq_bn")
    model.add_classification_head("one", num_labels=2)
    model.train_adapter("one")
    model(**inputs(), labels=torch.tensor([0, 1, 1])).loss.backward()
    trained = trained_parameters(model, "one")
    wanted = {id(p) for p in (*trained, *model.adapter_runtime.heads.parameters())}
    for name, parameter in model.named_parameters():
        assert (parameter.grad is not None) == (id(parameter) in wanted), name
        assert parameter.requires_grad == (id(parameter) in wanted), name
    assert all(p.grad is not None and bool(p.grad.any()) for p in trained)


def test_a_saved_adapter_gives_the_same_outputs(family: str, method: str, tmp_path: Any) -> None:
    model = prepared(family, one=method)
    model.add_classification_head("one", labels=["no", "yes"], layers=2)
    model.active_adapters = "one"
    expected = output(model)
    report = model.save_adapter(tmp_path / "saved", "one")
    fresh = adapter_lib.init(build(family))
    loaded = fresh.load_adapter(tmp_path / "saved", name="again")
    assert (len(loaded.matched), loaded.missing, loaded.unexpected) == (report.tensors, (), ())
    fresh.active_adapters = "again"
    assert fresh.active_head == "again"
    assert torch.equal(output(fresh), expected)


def test_adapters_work_under_any_head_of_transformers(family: str, method: str) -> None:
    auto = hf.AutoModelForCausalLM if family in DECODERS else hf.AutoModelForSequenceClassification
    base = build(family, auto)
    model = prepared(family, auto, one=method)
    assert torch.equal(output(model), output(base))
    model.active_adapters = "one"
    assert output(model).shape == output(base).shape
    assert not torch.allclose(output(model), output(base), atol=1e-4)
    model.active_adapters = Parallel("one", "one")
    assert output(model).shape[0] == 2 * output(base).shape[0]


def _hooks(model: nn.Module) -> int:
    return sum(len(module._forward_hooks) + len(module._forward_pre_hooks) for module in model.modules())
