"""(IA)³ against attention and feed-forward with their factors written in, on plain, fused and gated maps."""

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from adapter_lib import AdapterSetup, Parallel, Stack
from adapter_lib.points import original_weight
from adapter_lib.spec.configs import IA3Config, LoRAConfig, Place, UnionConfig
from adapter_lib.spec.errors import AttachError, ConfigError
from tests.adapter_lib.methods.weights import (
    FAMILIES,
    PATHS,
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


def _multiplied(found: Numbers, own: Any) -> tuple[Tensor, Tensor | None]:
    factor = own["factor"]
    return found.weight * factor[:, None], None if found.bias is None else found.bias * factor


def _expected(model: Any, family: str, name: str) -> Any:
    """The base with keys and values multiplied in the weights, the activation by a module of its own."""
    places = tensors(model, name)
    base = changed(family, _multiplied, {key: own for key, own in places.items() if key[1] != "ffn.mid"})
    for (layer, role), own in places.items():
        if role == "ffn.mid":
            path = PATHS[family]["ffn.down"].format(layer)
            parent, _, child = path.rpartition(".")
            base.get_submodule(parent)._modules[child] = _Before(base.get_submodule(path), own["factor"])
    return base


class _Before(nn.Module):
    def __init__(self, inner: nn.Module, factor: Tensor) -> None:
        super().__init__()
        self.inner, self.factor = inner, factor

    def forward(self, x: Tensor) -> Any:
        return self.inner(x * self.factor)


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("settings", ["", "[targets=[k]]", "[targets=[ffn]]", "[targets=[q, up, down, v]]"])
def test_ia3_multiplies_keys_values_and_activations(family: str, settings: str) -> None:
    model = doubled(family, one=f"ia3{settings}")
    model.active_adapters = "one"
    check(hidden(model), hidden(_expected(model, family, "one")))


def test_the_activation_is_multiplied_after_the_non_linearity() -> None:
    model = doubled("bert", one="ia3[targets=[ffn]]")
    model.active_adapters = "one"
    factor = tensors(model, "one")[0, "ffn.mid"]["factor"]
    layer = model.encoder.layer[0]
    x = torch.randn(2, 5, 32, dtype=torch.float64)
    down = layer.output.dense
    inner = nn.functional.gelu(layer.intermediate.dense(x)) * factor
    check(down(layer.intermediate(x)), inner @ down.weight.T + down.bias)


def test_published_places_and_sizes() -> None:
    model = doubled("llama", one="ia3")
    shapes = {role: own["factor"].shape for (layer, role), own in tensors(model, "one").items() if not layer}
    # Grouped-query attention has fewer keys than queries.
    assert shapes == {"attn.k": (16,), "attn.v": (16,), "ffn.mid": (48,)}


@pytest.mark.parametrize("family", FAMILIES)
def test_a_fresh_ia3_changes_nothing(family: str) -> None:
    check_fresh(family, "ia3")


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("settings", ["", "[targets=[q, k, v, o, up, down, ffn]]"])
def test_merging_equals_the_forward_and_is_undone_exactly(family: str, settings: str) -> None:
    check_merging(family, f"ia3{settings}")


@pytest.mark.parametrize("family", FAMILIES)
def test_stacks_multiply_and_come_after_what_was_added(family: str) -> None:
    """Stack(LoRA, IA3) multiplies LoRA's update too, Stack(IA3, LoRA) does not."""
    config = "ia3[targets=[k, v]]"
    model = doubled(family, a=config, b=config, lora="lora[r=3, targets=[k, v]]")

    def with_lora(found: Numbers, own: Any) -> tuple[Tensor, Tensor | None]:
        if "factor" in own:
            return _multiplied(found, own)
        return found.weight + 8 / 3 * own["lora_b"] @ own["lora_a"], found.bias

    for order in (("a", "b"), ("lora", "a"), ("a", "lora", "b")):
        with AdapterSetup(model, Stack(*order)):
            found = hidden(model)
        check(found, hidden(changed(family, with_lora, *(tensors(model, name) for name in order))))


def test_parallel_with_stacks_and_absences_equals_separate_runs() -> None:
    model = doubled("gpt2", a="ia3", b="ia3[targets=[k]]", c="ia3[targets=[ffn, o]]")
    trees = ["a", Stack("a", "b"), "c", Stack("c", "b", "a")]
    alone = []
    for tree in trees:
        with AdapterSetup(model, tree):
            alone.append(hidden(model))
    with AdapterSetup(model, Parallel(*trees)):
        check(hidden(model), torch.cat(alone))


@pytest.mark.parametrize("family", FAMILIES)
def test_a_gated_ia3_is_gated_by_the_evaluator(family: str) -> None:
    model = doubled(family, one="ia3[targets=[k], use_gating=true]")
    model.active_adapters = "one"
    part = model.adapter_runtime.injection.parts("one")[0, "attn.k"]
    x = torch.randn(2, 4, 32, dtype=torch.float64)
    found = numbers(build(family).double(), family, 0, "attn.k")
    y = x @ found.weight.T + (0 if found.bias is None else found.bias)
    gate = torch.sigmoid(x @ part.gate.weight.T + part.gate.bias).mean(1, keepdim=True)
    expected = y + gate * (y * part.factor - y)
    module = model.get_submodule(PATHS[family]["attn.k"].format(0).partition("#")[0])
    given = module(x)
    check(given[..., 32:64] if family == "gpt2" else given, expected)
    with pytest.raises(AttachError, match="no update of weights"):
        model.merge_adapter("one")


def test_merging_in_a_union_keeps_the_order_and_is_undone_exactly() -> None:
    for members in (
        (LoRAConfig(r=2, targets=("v", "down")), IA3Config()),
        (IA3Config(), LoRAConfig(r=2, targets=("v", "down"))),
    ):
        model = doubled("gpt2")
        model.add_adapter("one", UnionConfig(configs=members))
        with torch.no_grad():
            for parameter in model.adapter_runtime.injection.parameters("one"):
                parameter.add_(torch.linspace(-1, 1, parameter.numel()).view(parameter.shape) * 0.3)
        original = {key: value.clone() for key, value in model.state_dict().items()}
        model.active_adapters = "one"
        expected = hidden(model)
        model.merge_adapter("one")
        check(hidden(model), expected)
        model.reset_adapter()
        assert all(torch.equal(value, original[key]) for key, value in model.state_dict().items())


def test_the_fingerprint_is_that_of_the_base_while_merged() -> None:
    model = doubled("gpt2", one="ia3[targets=[down, ffn]]")
    linear = model.h[0].mlp.c_proj
    before = linear.weight.detach().clone()
    model.merge_adapter("one")
    assert not torch.equal(linear.weight, before)
    assert torch.equal(original_weight(linear), before)


@pytest.mark.parametrize("targets", [(), ("nothing",), ("experts",), 3])
def test_targets_are_checked(targets: Any) -> None:
    with pytest.raises(ConfigError, match="IA3Config: targets must be a list of some of q, k, v"):
        IA3Config(targets=targets)


def test_a_place_that_is_no_map_is_refused() -> None:
    with pytest.raises(ConfigError, match="ia3 multiplies linear maps"):
        IA3Config().shapes(Place("norm.0", 0, 32, 32, "norm"))
