"""VeRA and DVoRA against W + diag(b) B diag(d) A, recomputed densely in float64."""

from typing import Any

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

import adapter_lib
from adapter_lib import AdapterSetup, Parallel, Stack
from adapter_lib.spec.errors import ConfigError
from tests.adapter_lib.methods.weights import (
    ALL,
    Numbers,
    changed,
    check,
    check_fresh,
    check_merging,
    doubled,
    hidden,
    tensors,
)
from tests.adapter_lib.tiny import WIDTH, build, shake

FAMILIES = ("bert", "gpt2", "llama")
METHODS = ("vera", "dvora")


def _projections(model: Any, name: str) -> tuple[Tensor, Tensor]:
    (shared,) = model.adapter_runtime.injection.shared_parts(name).values()
    return shared.vera_a.detach(), shared.vera_b.detach()


def _rule(model: Any, name: str) -> Any:
    """The weight of the paper's equation, entry by entry where it can be said so."""
    a, b = _projections(model, name)

    def rule(found: Numbers, own: Any) -> tuple[Tensor, Tensor | None]:
        rows, columns = found.weight.shape
        update = torch.diag(own["vera_b"]) @ b[:rows] @ torch.diag(own["vera_d"]) @ a[:, :columns]
        weight = found.weight + update
        if "magnitude" in own:
            weight = (own["magnitude"] / weight.square().sum(1).sqrt())[:, None] * weight
        return weight, found.bias

    return rule


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("method", METHODS)
def test_it_is_vectors_between_random_matrices(family: str, method: str) -> None:
    model = doubled(family, one=f"{method}[r=24, {ALL}]")
    a, b = _projections(model, "one")
    # The widest map is the feed-forward block's: 48 in, 48 out.
    assert (a.shape, b.shape) == (
        (24, 48 if family != "gpt2" else 128),
        (48 if family != "gpt2" else 128, 24),
    )
    model.active_adapters = "one"
    check(hidden(model), hidden(changed(family, _rule(model, "one"), tensors(model, "one"))))


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("method", METHODS)
def test_a_fresh_adapter_is_the_base_bit_for_bit(family: str, method: str) -> None:
    check_fresh(family, f"{method}[r=24, {ALL}]")


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("method", METHODS)
def test_merging_equals_the_forward_and_is_undone_exactly(family: str, method: str) -> None:
    check_merging(family, f"{method}[r=24, {ALL}]")


@pytest.mark.parametrize("method", METHODS)
def test_starting_values_are_those_of_the_seed(method: str) -> None:
    model: Any = adapter_lib.init(build("bert"))
    for name, settings in (("one", ""), ("two", ""), ("other", "[seed=1]")):
        model.add_adapter(name, f"{method}{settings}")
    for part in model.adapter_runtime.injection.members("one"):
        assert torch.equal(part.vera_d, torch.full((256,), 0.1))
        assert not part.vera_b.any()
    one, two, other = (_projections(model, name) for name in ("one", "two", "other"))
    assert all(torch.equal(x, y) for x, y in zip(one, two, strict=True))
    assert not any(torch.equal(x, y) for x, y in zip(one, other, strict=True))
    for matrix in one:
        # Kaiming-uniform: variance 2 / fan-in.
        assert matrix.var().item() == pytest.approx(2 / matrix.shape[1], rel=0.1)


def test_only_the_vectors_are_trained() -> None:
    model = doubled("bert", one="vera[r=8]", two="dvora[r=8]")
    model.train_adapter(Stack("one", "two"))
    model(torch.tensor([[5, 6, 7]])).last_hidden_state.square().sum().backward()
    wanted = ("vera_d", "vera_b", "magnitude")
    for name, parameter in model.named_parameters():
        is_trained = name.endswith(wanted) and "adapter_lib_shared" not in name
        assert (parameter.requires_grad, parameter.grad is not None) == (is_trained, is_trained), name


def test_the_random_matrices_travel_in_the_file(tmp_path: Any) -> None:
    model = doubled("bert", one="vera[r=8]")
    with torch.no_grad():
        for parameter in model.adapter_runtime.injection.shared_parts("one")[""].parameters():
            parameter.add_(1.0)
    model.save_adapter(tmp_path / "one", "one")
    fresh = adapter_lib.init(build("bert").double())
    fresh.load_adapter(tmp_path / "one")
    assert all(
        torch.equal(x, y) for x, y in zip(_projections(model, "one"), _projections(fresh, "one"), strict=True)
    )


def test_several_in_one_batch_are_one_product() -> None:
    model = doubled("gpt2", a="vera[r=8]", b="vera[r=5, seed=3]", c="dvora[r=6]")
    for trees in (["a", Stack("a", "b"), "b"], ["a", "c"]):
        alone = []
        for tree in trees:
            with AdapterSetup(model, tree):
                alone.append(hidden(model))
        with AdapterSetup(model, Parallel(*trees)):
            plan = model.adapter_runtime.injection.points.points[0, "attn.q"].plan
            assert (type(plan).__name__ == "Grouped") == ("c" not in trees)
            check(hidden(model), torch.cat(alone))


@pytest.mark.parametrize("method", METHODS)
def test_dropout_acts_on_the_input(method: str) -> None:
    model = doubled("bert", one=f"{method}[r=8, dropout=0.5, targets=[q]]")
    part = model.adapter_runtime.injection.parts("one")[0, "attn.q"]
    linear = model.encoder.layer[0].attention.self.query
    model.active_adapters = "one"
    part.train()
    x = torch.randn(4, WIDTH, dtype=torch.float64)
    with torch.no_grad():
        torch.manual_seed(3)
        found = linear(x)
        torch.manual_seed(3)
        check(found - (x @ linear.weight.T + linear.bias), F.dropout(x, 0.5) @ part.weight_delta().weight.T)


def test_bad_settings_are_refused() -> None:
    for bad in ("r=0", "d_initial=0", "seed=-1", "dropout=1"):
        with pytest.raises(ConfigError):
            adapter_lib.parse_config(f"vera[{bad}]")
    model: Any = adapter_lib.init(build("bert"))
    with pytest.raises(ConfigError, match="vera changes linear maps"):
        model.add_adapter("one", "vera[targets=[word_embeddings]]")


def test_a_gate_multiplies_what_is_added() -> None:
    model: Any = adapter_lib.init(build("bert").double())
    model.add_adapter("one", "vera[r=8, use_gating=true, targets=[q]]")
    shake(model, "one")
    part = model.adapter_runtime.injection.parts("one")[0, "attn.q"]
    linear = model.encoder.layer[0].attention.self.query
    model.active_adapters = "one"
    x = torch.randn(2, 4, WIDTH, dtype=torch.float64)
    with torch.no_grad():
        gate = torch.sigmoid(x @ part.gate.weight.T + part.gate.bias).mean(1, keepdim=True)
        check(linear(x), x @ linear.weight.T + linear.bias + gate * (x @ part.weight_delta().weight.T))
