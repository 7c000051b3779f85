"""HRA against W H₁ H₂ … H_r, every reflection written out."""

from typing import Any

import pytest
import torch
from torch import Tensor

from adapter_lib.spec.configs import HRAConfig, Place
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


def _rule(found: Numbers, own: Any) -> tuple[Tensor, Tensor | None]:
    weight = found.weight
    identity = torch.eye(weight.shape[1], dtype=weight.dtype)
    for u in own["u"]:
        weight = weight @ (identity - 2 * torch.outer(u, u) / u.dot(u))
    return weight, found.bias


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("settings", ["", "r=2, targets=[k]", f"r=6, {ALL}"])
def test_hra_reflects_the_inputs(family: str, settings: str) -> None:
    model = doubled(family, one=f"hra[{settings}]")
    model.active_adapters = "one"
    check(hidden(model), hidden(changed(family, _rule, tensors(model, "one"))))


@pytest.mark.parametrize("family", FAMILIES)
def test_a_fresh_hra_changes_nothing_but_by_rounding(family: str) -> None:
    check_fresh(family, f"hra[{ALL}]", within=1e-5)


@pytest.mark.parametrize("family", FAMILIES)
def test_merging_equals_the_forward(family: str) -> None:
    check_merging(family, f"hra[r=4, {ALL}]")


def test_reflections_start_in_different_pairs() -> None:
    model: Any = doubled("bert")
    model.add_adapter("one", "hra[r=6]")
    u = tensors(model, "one")[0, "attn.q"]["u"]
    assert torch.equal(u[::2], u[1::2])
    assert torch.linalg.matrix_rank(u) == 3


@pytest.mark.parametrize("r", [0, 3, 2.0])
def test_an_odd_number_of_reflections_is_refused(r: Any) -> None:
    with pytest.raises(ConfigError, match="HRAConfig: r must be"):
        HRAConfig(r=r)


def test_shapes() -> None:
    assert HRAConfig(r=4).shapes(Place("ffn.up", 0, 32, 48)) == {"u": (4, 32)}
