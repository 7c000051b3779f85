"""BitFit: every bias that exists, and only these."""

from typing import Any

import pytest
import torch
from torch import Tensor

import adapter_lib
from adapter_lib.spec.configs import BitFitConfig, Place
from adapter_lib.spec.errors import AttachError, ConfigError, FamilyError
from tests.adapter_lib.methods.weights import (
    Numbers,
    changed,
    check,
    check_fresh,
    check_merging,
    doubled,
    hidden,
    numbers,
    tensors,
)
from tests.adapter_lib.tiny import build


def _rule(found: Numbers, own: Any) -> tuple[Tensor, Tensor | None]:
    assert found.bias is not None
    return found.weight, found.bias + own["bias"]


@pytest.mark.parametrize("family", ["bert", "gpt2"])
@pytest.mark.parametrize("settings", ["", "[biases=[q, up]]", "[biases=[norm]]"])
def test_bitfit_changes_biases(family: str, settings: str) -> None:
    model = doubled(family, one=f"bitfit{settings}")
    model.active_adapters = "one"
    check(hidden(model), hidden(changed(family, _rule, tensors(model, "one"))))


@pytest.mark.parametrize("family", ["bert", "gpt2"])
def test_every_bias_of_the_layers_is_there(family: str) -> None:
    model = doubled(family, one="bitfit")
    base = build(family)
    layers = base.encoder.layer if family == "bert" else base.h
    own = tensors(model, "one")
    expected = sum(p.numel() for layer in layers for n, p in layer.named_parameters() if n.endswith("bias"))
    last = 32 if family == "gpt2" else 0
    assert sum(t["bias"].numel() for t in own.values()) == expected + last


def test_the_small_variant_of_the_paper_and_single_letters_of_a_fused_map() -> None:
    model = doubled("gpt2", one="bitfit[biases=[q, up]]")
    shapes = {role: tuple(own["bias"].shape) for (_, role), own in tensors(model, "one").items()}
    assert shapes == {"attn.q": (32,), "ffn.up": (128,)}


@pytest.mark.parametrize("family", ["bert", "gpt2"])
def test_a_fresh_bitfit_changes_nothing_and_merging_equals_the_forward(family: str) -> None:
    check_fresh(family, "bitfit")
    check_merging(family, "bitfit")


def test_models_without_biases_are_refused_with_what_to_do() -> None:
    model = adapter_lib.init(build("llama"))
    with pytest.raises(FamilyError, match=r"llama has no bias in attn\.q .* With add_missing=true"):
        model.add_adapter("one", "bitfit")
    with pytest.raises(FamilyError, match="has no bias in norm"):
        model.add_adapter("one", "bitfit[biases=[norm]]")


def test_missing_biases_can_be_added_but_not_merged() -> None:
    model = doubled("llama", one="bitfit[add_missing=true]")
    own = tensors(model, "one")
    assert {role for _, role in own} >= {"attn.q", "ffn.gate", "norm.0", "decoder.norm"}
    model.active_adapters = "one"
    layer = model.layers[0].self_attn
    x = torch.randn(2, 3, 32, dtype=torch.float64)
    weight = numbers(build("llama").double(), "llama", 0, "attn.q").weight
    check(layer.q_proj(x), x @ weight.T + own[0, "attn.q"]["bias"])
    check_fresh("llama", "bitfit[add_missing=true]")
    with pytest.raises(AttachError, match="changes a bias, and LlamaRMSNorm has none"):
        model.merge_adapter("one")


@pytest.mark.parametrize(("field", "value"), [("biases", ()), ("biases", ("query",)), ("add_missing", 1)])
def test_fields_are_checked(field: str, value: Any) -> None:
    with pytest.raises(ConfigError, match=f"BitFitConfig: {field} must be"):
        BitFitConfig(**{field: value})


def test_a_place_without_maps_is_refused() -> None:
    with pytest.raises(ConfigError, match="bitfit trains biases of linear maps and norms"):
        BitFitConfig().shapes(Place("ffn", 0, 32, 32, "site"))
