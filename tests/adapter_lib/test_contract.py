"""What holds for every method on every family: the base is never harmed, and blocks do what they say."""

import copy
import pickle
from typing import Any

import pytest
import torch
import transformers as hf
from torch import nn

import adapter_lib
from adapter_lib import AdapterSetup, Parallel, Stack
from tests.adapter_lib.tiny import (
    DECODERS,
    FAMILIES,
    METHODS,
    build,
    inputs,
    output,
    prepared,
    trained_parameters,
)

pytestmark = [pytest.mark.parametrize("family", FAMILIES), pytest.mark.parametrize("method", METHODS)]


def test_the_base_is_untouched_when_nothing_acts(family: str, method: str) -> None:
    base = build(family)
    expected, keys = output(base), list(base.state_dict())
    model = prepared(family, one=method)
    assert torch.equal(output(model), expected)
    assert [key for key in model.state_dict() if "adapter_lib_" not in key] == keys

    model.active_adapters = "one"
    assert not torch.allclose(output(model), expected, atol=1e-3)
    with AdapterSetup(model, None):
        assert torch.equal(output(model), expected)

    model.delete_adapter("one")
    assert model.active_adapters is None
    assert torch.equal(output(model), expected)
    assert [key for key in model.state_dict() if "adapter_lib_heads" not in key] == keys
    assert _hooks(model) == 0


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


def test_parallel_equals_separate_runs(family: str, method: str) -> None:
    model = prepared(family, a=method, b=method, c="lora[r=2]", d="seq_bn[reduction_factor=4]")
    trees = ["a", Stack("c", "b"), "d", Stack("a", "c")]
    alone = [_run(model, tree) for tree in trees]
    block = Parallel("a", Parallel(Stack("c", "b"), "d"), Stack("a", "c"))
    torch.testing.assert_close(_run(model, block), torch.cat(alone), atol=1e-5, rtol=0)
    shared = Stack("c", Parallel("b", "d"))
    alone = [_run(model, Stack("c", "b")), _run(model, Stack("c", "d"))]
    torch.testing.assert_close(_run(model, shared), torch.cat(alone), atol=1e-5, rtol=0)


def test_parallel_of_one_method_equals_separate_runs_with_gradients(family: str, method: str) -> None:
    model = prepared(family, a=method, b=method)
    rows = inputs()["attention_mask"].sum()
    losses = []
    for name in ("a", "b"):
        model.train_adapter(name)
        model.eval()
        losses.append(_loss(model))
        losses[-1].backward()
    apart = [p.grad.clone() for name in ("a", "b") for p in trained_parameters(model, name)]
    model.zero_grad()
    model.train_adapter(Parallel("a", "b"))
    model.eval()
    together = _loss(model)
    together.backward()
    torch.testing.assert_close(together, sum(losses), atol=1e-5 * float(rows), rtol=1e-5)
    merged = [p.grad for name in ("a", "b") for p in trained_parameters(model, name)]
    torch.testing.assert_close(merged, apart, atol=1e-4, rtol=1e-4)


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


def _run(model: Any, composition: Any) -> torch.Tensor:
    with AdapterSetup(model, composition):
        return output(model)


def _loss(model: Any) -> torch.Tensor:
    given = inputs()
    hidden = model(**given).last_hidden_state
    mask = given["attention_mask"].repeat(hidden.shape[0] // 3, 1)
    return (hidden.square().sum(-1) * mask).sum()


def _hooks(model: nn.Module) -> int:
    return sum(len(module._forward_hooks) + len(module._forward_pre_hooks) for module in model.modules())
