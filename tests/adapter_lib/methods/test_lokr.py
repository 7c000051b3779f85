"""LoKr against W + alpha / r · C ⊗ D, the product written out block by block."""

from collections.abc import Mapping
from typing import Any

import pytest
import torch
from torch import Tensor

from adapter_lib import AdapterSetup, Stack
from adapter_lib.spec.configs import LoKrConfig, Place
from adapter_lib.spec.errors import ConfigError
from tests.adapter_lib.methods.convolving import CONVOLUTIONS, check_convolution
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


def _sides(own: Mapping[str, Tensor]) -> tuple[Tensor, Tensor]:
    c, d = (own[side] if side in own else own[f"{side}_b"] @ own[f"{side}_a"] for side in ("c", "d"))
    return c, d


def _kronecker(c: Tensor, d: Tensor) -> Tensor:
    """Block (o, i) is c[o, i] · d."""
    return torch.cat([torch.cat([entry * d for entry in row], dim=1) for row in c], dim=0)


def _rule(found: Numbers, own: Any) -> tuple[Tensor, Tensor | None]:
    return found.weight + 6 / 2 * _kronecker(*_sides(own)), found.bias


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize(
    "settings", ["", f", {ALL}", ", decompose_both=true, factor=2", f", factor=8, {ALL}", ", factor=-1"]
)
def test_lokr_is_the_update_of_its_weights(family: str, settings: str) -> None:
    model = doubled(family, one=f"lokr[r=2, alpha=6{settings}]")
    model.active_adapters = "one"
    check(hidden(model), hidden(changed(family, _rule, tensors(model, "one"))))


@pytest.mark.parametrize("family", FAMILIES)
def test_a_stack_is_the_sum(family: str) -> None:
    model = doubled(family, a="lokr[r=2, alpha=6]", b="lokr[r=2, alpha=6, targets=[v, o], factor=4]")
    with AdapterSetup(model, Stack("a", "b")):
        found = hidden(model)
    check(found, hidden(changed(family, _rule, tensors(model, "a"), tensors(model, "b"))))


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("settings", ["r=2", "r=20", "r=2, decompose_both=true, factor=2"])
def test_a_fresh_lokr_changes_nothing_and_merging_equals_the_forward(family: str, settings: str) -> None:
    check_fresh(family, f"lokr[{settings}]")
    check_merging(family, f"lokr[{settings}]")


@pytest.mark.parametrize("settings", CONVOLUTIONS)
@pytest.mark.parametrize("r", [1, 9])
def test_convolutions(settings: dict[str, Any], r: int) -> None:
    in1, in2 = (1, 2) if settings.get("groups") else (2, 2)

    def update(own: Mapping[str, Tensor]) -> Tensor:
        c, d = _sides(own)
        kernel = d.view(3, in2, 3, 2)
        found = torch.zeros(6, in1 * in2, 3, 2, dtype=d.dtype)
        for o in range(2):
            for i in range(in1):
                found[o * 3 : (o + 1) * 3, i * in2 : (i + 1) * in2] = c[o, i] * kernel
        return 3 / r * found

    check_convolution(LoKrConfig(r=r, alpha=3), settings, update)


@pytest.mark.parametrize(
    ("settings", "shapes"),
    [
        # 768 = 24 · 32, 3072 = 48 · 64
        ({"r": 4}, {"c": (24, 48), "d_a": (4, 64), "d_b": (32, 4)}),
        ({"r": 32}, {"c": (24, 48), "d": (32, 64)}),
        ({"r": 4, "decompose_both": True}, {"c_a": (4, 48), "c_b": (24, 4), "d_a": (4, 64), "d_b": (32, 4)}),
        ({"r": 4, "factor": 8}, {"c": (8, 8), "d_a": (4, 384), "d_b": (96, 4)}),
        # 7 does not divide: the largest divisor below it.
        ({"r": 4, "factor": 7}, {"c": (6, 6), "d_a": (4, 512), "d_b": (128, 4)}),
        # Beyond the square root the factor is the larger part.
        ({"r": 4, "factor": 768}, {"c": (1, 4), "d_a": (4, 768), "d_b": (768, 4)}),
    ],
)
def test_shapes(settings: dict[str, Any], shapes: dict[str, tuple[int, ...]]) -> None:
    assert LoKrConfig(**settings).shapes(Place("ffn.down", 0, 3072, 768)) == shapes


@pytest.mark.parametrize(("field", "value"), [("factor", 0), ("factor", -2), ("decompose_both", 1), ("r", 0)])
def test_fields_are_checked(field: str, value: Any) -> None:
    with pytest.raises(ConfigError, match=f"LoKrConfig: {field} must be"):
        LoKrConfig(**{field: value})
