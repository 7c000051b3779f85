"""LoHa against W + alpha / r · (B₁ A₁) ⊙ (B₂ A₂), entry by entry."""

from collections.abc import Mapping
from typing import Any

import pytest
import torch
from torch import Tensor

import adapter_lib
from adapter_lib import AdapterSetup, Stack
from adapter_lib.spec.configs import LoHaConfig, Place
from adapter_lib.spec.errors import AttachError, ConfigError
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
from tests.adapter_lib.tiny import shake
from tests.adapter_lib.zoo import MODELS, output


def _rule(found: Numbers, own: Any) -> tuple[Tensor, Tensor | None]:
    first = torch.einsum("or,ri->oi", own["b1"], own["a1"])
    second = torch.einsum("or,ri->oi", own["b2"], own["a2"])
    return found.weight + 12 / 3 * first * second, found.bias


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("settings", ["r=3, alpha=12", f"r=3, alpha=12, {ALL}"])
def test_loha_is_the_update_of_its_weights(family: str, settings: str) -> None:
    model = doubled(family, one=f"loha[{settings}]")
    model.active_adapters = "one"
    check(hidden(model), hidden(changed(family, _rule, tensors(model, "one"))))


@pytest.mark.parametrize("family", FAMILIES)
def test_a_stack_is_the_sum(family: str) -> None:
    model = doubled(family, a="loha[r=3, alpha=12]", b="loha[r=3, alpha=12, targets=[k, v]]")
    with AdapterSetup(model, Stack("a", "b")):
        found = hidden(model)
    check(found, hidden(changed(family, _rule, tensors(model, "a"), tensors(model, "b"))))


def test_the_rank_is_up_to_the_square() -> None:
    model = doubled("bert", one="loha[r=3]")
    part = model.adapter_runtime.injection.parts("one")[0, "attn.q"]
    assert torch.linalg.matrix_rank(part.delta()) == 9


@pytest.mark.parametrize("family", FAMILIES)
def test_a_fresh_loha_changes_nothing_and_merging_equals_the_forward(family: str) -> None:
    check_fresh(family, f"loha[{ALL}]")
    check_merging(family, f"loha[r=3, {ALL}]")


@pytest.mark.parametrize("settings", CONVOLUTIONS)
def test_convolutions(settings: dict[str, Any]) -> None:
    def update(own: Mapping[str, Tensor]) -> Tensor:
        return 8 / 2 * (own["b1"] @ own["a1"]) * (own["b2"] @ own["a2"])

    check_convolution(LoHaConfig(r=2), settings, update)


@pytest.mark.parametrize(("field", "value"), [("r", 0), ("r", 1.5), ("alpha", 0), ("alpha", "8")])
def test_fields_are_checked(field: str, value: Any) -> None:
    with pytest.raises(ConfigError, match=f"LoHaConfig: {field} must be"):
        LoHaConfig(**{field: value})


def test_shapes() -> None:
    shapes = LoHaConfig(r=2).shapes(Place("attn.q", 0, 32, 16))
    assert shapes == {"a1": (2, 32), "b1": (16, 2), "a2": (2, 32), "b2": (16, 2)}
    with pytest.raises(ConfigError, match="loha changes linear or conv maps"):
        LoHaConfig().shapes(Place("tokens", -1, 120, 32, "embedding"))


def test_a_weight_that_is_computed_in_every_call_is_not_merged() -> None:
    """wav2vec 2's positional convolution is weight-normalised."""
    tiny = MODELS["wav2vec2"]
    model = adapter_lib.init(tiny.build())
    model.add_adapter("one", "loha[r=2, targets=[pos_conv_embed.conv]]")
    given = tiny.inputs()
    base = output(model, **given)
    shake(model, "one")
    with AdapterSetup(model, "one"):
        assert not torch.allclose(output(model, **given), base, atol=1e-3)
    with pytest.raises(AttachError, match="is computed from other parameters"):
        model.merge_adapter("one")
    assert torch.equal(output(model, **given), base)
