"""BOFT against s ⊙ (W B_m … B_1), every butterfly factor filled in entry by entry."""

from typing import Any

import pytest
import torch
from torch import Tensor

from adapter_lib.spec.configs import BOFTConfig, Place
from adapter_lib.spec.errors import ConfigError
from tests.adapter_lib.methods.test_oft import cayley
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


def _factor(entries: Tensor, inputs: int, width: int, distance: int) -> Tensor:
    """The blocks act on groups of half a block that stand `distance` groups apart, from the left."""
    half = width // 2
    groups = inputs // half
    matrix = torch.zeros(inputs, inputs, dtype=entries.dtype)
    firsts = [group for group in range(groups) if group // distance % 2 == 0]
    for block, first in zip(entries, firsts, strict=True):
        members = [g * half + i for g in (first, first + distance) for i in range(half)]
        turn = cayley(block, width)
        for row, i in enumerate(members):
            for column, j in enumerate(members):
                matrix[i, j] = turn[row, column]
    return matrix


def _rotation(own: Any, inputs: int, width: int) -> Tensor:
    product = torch.eye(inputs, dtype=torch.float64)
    for number, entries in enumerate(own["skew"]):
        product = _factor(entries, inputs, width, 2**number) @ product
    return product


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize(
    ("settings", "width"),
    [
        ("", 4),
        (f"n_butterfly=3, {ALL}", 4),
        ("block_size=8, n_butterfly=2, rescale=true", 8),
        (f"block_size=2, n_butterfly=4, rescale=true, {ALL}", 2),
    ],
)
def test_boft_turns_the_inputs_and_scales_the_outputs(family: str, settings: str, width: int) -> None:
    def rule(found: Numbers, own: Any) -> tuple[Tensor, Tensor | None]:
        rotation = _rotation(own, found.weight.shape[1], width)
        check(rotation @ rotation.T, torch.eye(len(rotation), dtype=torch.float64), within=1e-12)
        turned = found.weight @ rotation
        return (own["factor"][:, None] * turned if "factor" in own else turned), found.bias

    model = doubled(family, one=f"boft[{settings}]")
    model.active_adapters = "one"
    check(hidden(model), hidden(changed(family, rule, tensors(model, "one"))))


def test_enough_factors_reach_every_input_from_every_other() -> None:
    model = doubled("bert", one="boft[block_size=4, n_butterfly=4]")
    own = tensors(model, "one")[0, "attn.q"]
    assert bool((_rotation(own, 32, 4).abs() > 0).all())


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("settings", ["n_butterfly=2", "n_butterfly=2, rescale=true"])
def test_a_fresh_boft_changes_nothing_and_merging_equals_the_forward(family: str, settings: str) -> None:
    check_fresh(family, f"boft[{settings}]")
    check_merging(family, f"boft[{settings}, {ALL}]")


def test_widths_that_do_not_divide_are_refused() -> None:
    place = Place("attn.q", 0, 48, 12)
    assert BOFTConfig(n_butterfly=3, rescale=True).shapes(place) == {"skew": (3, 12, 6), "factor": (12,)}
    with pytest.raises(ConfigError, match="block_size 10 does not divide the 48 inputs"):
        BOFTConfig(block_size=10).shapes(place)
    with pytest.raises(ConfigError, match=r"multiple of 128, and attn\.q has 48; take a smaller"):
        BOFTConfig(block_size=8, n_butterfly=5).shapes(place)


@pytest.mark.parametrize(("field", "value"), [("block_size", 3), ("n_butterfly", 0), ("rescale", 1)])
def test_fields_are_checked(field: str, value: Any) -> None:
    with pytest.raises(ConfigError, match=f"BOFTConfig: {field} must be"):
        BOFTConfig(**{field: value})
