"""FourierFT against W + scaling · Re(IDFT₂(F)), the transform summed up cosine by cosine."""

import math
from typing import Any

import pytest
import torch
from torch import Tensor

from adapter_lib import AdapterSetup, Stack
from adapter_lib.spec.configs import FourierFTConfig, Place
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


def _update(spectrum: Tensor, height: int, width: int, seed: int) -> Tensor:
    order = torch.randperm(height * width, generator=torch.Generator().manual_seed(seed))
    p = torch.arange(height, dtype=torch.float64)[:, None]
    q = torch.arange(width, dtype=torch.float64)[None, :]
    total = torch.zeros(height, width, dtype=torch.float64)
    for entry, value in zip(order.tolist(), spectrum, strict=False):
        u, v = divmod(entry, width)
        total += value * torch.cos(2 * math.pi * (u * p / height + v * q / width))
    return total / (height * width)


def _rule(found: Numbers, own: Any) -> tuple[Tensor, Tensor | None]:
    return found.weight + 150 * _update(own["spectrum"], *found.weight.shape, 777), found.bias


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("targets", ["", f", {ALL}"])
def test_fourierft_is_the_update_of_its_weights(family: str, targets: str) -> None:
    model = doubled(family, one=f"fourierft[n_frequency=40{targets}]")
    model.active_adapters = "one"
    check(hidden(model), hidden(changed(family, _rule, tensors(model, "one"))))


def test_a_stack_is_the_sum_and_the_seed_chooses_the_entries() -> None:
    def other(found: Numbers, own: Any) -> tuple[Tensor, Tensor | None]:
        return found.weight + 20 * _update(own["spectrum"], *found.weight.shape, 5), found.bias

    model = doubled("bert", a="fourierft[n_frequency=40]", b="fourierft[n_frequency=30, scaling=20, seed=5]")
    with AdapterSetup(model, Stack("a", "b")):
        found = hidden(model)
    expected = changed("bert", _rule, tensors(model, "a"))
    for key, own in tensors(model, "b").items():
        weight = expected.encoder.layer[key[0]].attention.self
        weight = (weight.query if key[1] == "attn.q" else weight.value).weight.data
        weight.copy_(other(Numbers(weight, None), own)[0])
    check(found, hidden(expected))


def test_making_one_draws_nothing_from_the_global_generator() -> None:
    # Building the model seeds the generator.
    doubled("bert")
    expected = torch.rand(4)
    doubled("bert", one="fourierft[n_frequency=40]")
    assert torch.equal(torch.rand(4), expected)


@pytest.mark.parametrize("family", FAMILIES)
def test_a_fresh_one_changes_nothing_and_merging_equals_the_forward(family: str) -> None:
    check_fresh(family, "fourierft[n_frequency=40]")
    check_merging(family, f"fourierft[n_frequency=40, {ALL}]")


def test_a_normal_start_is_drawn() -> None:
    model = doubled("bert", one="fourierft[n_frequency=500, init=normal]")
    own = tensors(model, "one")[0, "attn.q"]["spectrum"]
    assert 0.8 < own.std() < 1.25


@pytest.mark.parametrize(
    ("field", "value"), [("n_frequency", 0), ("scaling", 0), ("seed", -1), ("init", "ones")]
)
def test_fields_are_checked(field: str, value: Any) -> None:
    with pytest.raises(ConfigError, match=f"FourierFTConfig: {field} must be"):
        FourierFTConfig(**{field: value})


def test_more_frequencies_than_entries_are_refused() -> None:
    with pytest.raises(ConfigError, match="n_frequency 1000 is more than the 512 entries"):
        FourierFTConfig().shapes(Place("attn.k", 0, 32, 16))
