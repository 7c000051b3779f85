"""AdaLoRA against W + s · P Λ Q; the choosing of ranks is tested in tests/adapter_lib/training."""

from typing import Any

import pytest
import torch
from torch import Tensor

import adapter_lib
from adapter_lib import AdapterSetup, Parallel, Stack
from adapter_lib.spec.configs import AdaLoRAConfig, Place
from adapter_lib.spec.errors import ConfigError
from tests.adapter_lib.methods.weights import (
    ALL,
    FAMILIES,
    Numbers,
    changed,
    check,
    check_fresh,
    check_merging,
    doubled,
    hidden,
    tensors,
)
from tests.adapter_lib.tiny import build

SMALL = "init_r=4, target_r=2"


def _rule(found: Numbers, own: Any) -> tuple[Tensor, Tensor | None]:
    return found.weight + 16 / 4 * own["p"] @ own["singular"].diag() @ own["q"], found.bias


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("targets", ["", f", {ALL}"])
def test_adalora_is_the_update_of_its_weights(family: str, targets: str) -> None:
    model = doubled(family, one=f"adalora[{SMALL}{targets}]")
    model.active_adapters = "one"
    check(hidden(model), hidden(changed(family, _rule, tensors(model, "one"))))


@pytest.mark.parametrize("family", FAMILIES)
def test_a_stack_is_the_sum_and_parallel_equals_separate_runs(family: str) -> None:
    model = doubled(family, a=f"adalora[{SMALL}]", b=f"adalora[{SMALL}, targets=[k, v]]")
    with AdapterSetup(model, Stack("a", "b")):
        both = hidden(model)
    check(both, hidden(changed(family, _rule, tensors(model, "a"), tensors(model, "b"))))
    alone = []
    for name in ("a", "b"):
        with AdapterSetup(model, name):
            alone.append(hidden(model))
    with AdapterSetup(model, Parallel("a", "b", Stack("a", "b"))):
        check(hidden(model), torch.cat([*alone, both]))


@pytest.mark.parametrize("family", FAMILIES)
def test_a_fresh_one_changes_nothing_and_merging_equals_the_forward(family: str) -> None:
    check_fresh(family, "adalora")
    check_merging(family, f"adalora[{SMALL}, {ALL}]")


def test_the_factors_start_near_orthogonal() -> None:
    model: Any = adapter_lib.init(build("bert"))
    model.add_adapter("one", "adalora[targets=all-linear]")
    for own in tensors(model, "one").values():
        assert not own["singular"].any()
        assert 0.5 < own["p"].norm(dim=0).mean() < 1.5
        assert 0.5 < own["q"].norm(dim=1).mean() < 1.5


def test_the_regularisation_is_the_distance_from_orthogonal_factors() -> None:
    model = doubled("bert", one=f"adalora[{SMALL}, orth_reg=0.25]", none=f"adalora[{SMALL}, orth_reg=0]")
    expected = torch.zeros((), dtype=torch.float64)
    for own in tensors(model, "one").values():
        for rows in (own["p"].T, own["q"]):
            for i in range(4):
                for j in range(4):
                    expected += (rows[i].dot(rows[j]) - float(i == j)) ** 2
    model.active_adapters = "one"
    check(model.adapter_regularisation().detach(), 0.25 * expected)
    model.active_adapters = "none"
    assert model.adapter_regularisation() is None


def test_dropout_acts_in_training_alone() -> None:
    model = doubled("bert", one=f"adalora[{SMALL}, dropout=0.5]")
    model.active_adapters = "one"
    linear = model.encoder.layer[0].attention.self.query
    x = torch.ones(4000, 32, dtype=torch.float64)
    expected = linear(x).detach()
    assert bool((expected.std(0) == 0).all())
    model.adapter_runtime.injection.parts("one")[0, "attn.q"].train()
    found = linear(x).detach()
    assert bool((found.std(0) > 0).all())
    assert bool(((found.mean(0) - expected[0]).abs() < 6 * found.std(0) / 4000**0.5).all())


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("init_r", 0),
        ("target_r", 13),
        ("tinit", -1),
        ("tfinal", 1.5),
        ("delta_t", 0),
        ("beta1", 1),
        ("beta2", -0.1),
        ("orth_reg", -1),
        ("alpha", 0),
        ("dropout", 1),
    ],
)
def test_fields_are_checked(field: str, value: Any) -> None:
    with pytest.raises(ConfigError, match=f"AdaLoRAConfig: {field} must be"):
        AdaLoRAConfig(**{field: value})


def test_shapes() -> None:
    shapes = AdaLoRAConfig(init_r=3, target_r=1).shapes(Place("ffn.up", 0, 32, 48))
    assert shapes == {"p": (48, 3), "singular": (3,), "q": (3, 32)}
