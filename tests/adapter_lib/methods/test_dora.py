"""DoRA against m ⊙ (W + s · B A) / ‖W + s · B A‖, recomputed densely in float64."""

from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

import adapter_lib
from adapter_lib import AdapterSetup, Stack
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
SETTINGS = f"r=3, alpha=6, {ALL}"


def _rule(scale: float) -> Any:
    """W' row by row, as the paper writes it."""

    def rule(found: Numbers, own: Any) -> tuple[Tensor, Tensor | None]:
        v = found.weight + scale * own["lora_b"] @ own["lora_a"]
        rows = [m * row / row.square().sum().sqrt() for m, row in zip(own["magnitude"], v, strict=True)]
        return torch.stack(rows), found.bias

    return rule


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize(("settings", "scale"), [(SETTINGS, 2.0), ("r=4, alpha=6, rslora=true", 3.0)])
def test_dora_gives_the_rows_of_the_changed_weight_learned_norms(
    family: str, settings: str, scale: float
) -> None:
    model = doubled(family, one=f"dora[{settings}]")
    model.active_adapters = "one"
    check(hidden(model), hidden(changed(family, _rule(scale), tensors(model, "one"))))


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("start", ["lora", "gaussian"])
def test_a_fresh_dora_is_the_base_bit_for_bit(family: str, start: str) -> None:
    check_fresh(family, f"dora[init_weights={start}, {ALL}]")
    model: Any = adapter_lib.init(build(family))
    model.add_adapter("one", "dora")
    for part in model.adapter_runtime.injection.members("one"):
        assert torch.equal(part.magnitude, part.host.weight().norm(dim=1))


@pytest.mark.parametrize("family", FAMILIES)
def test_merging_equals_the_forward_and_is_undone_exactly(family: str) -> None:
    check_merging(family, f"dora[{SETTINGS}]")


@pytest.mark.parametrize("family", FAMILIES)
def test_a_stack_adds_both_changes_of_the_weight(family: str) -> None:
    model = doubled(family, a="dora[r=3, alpha=6]", b="lora[r=2, alpha=2]")
    own, other = tensors(model, "a"), tensors(model, "b")

    def both(found: Numbers, t: Any) -> tuple[Tensor, Tensor | None]:
        weight, bias = _rule(2.0)(found, t)
        return weight + t["other_b"] @ t["other_a"], bias

    joined = {k: own[k] | {f"other_{n[-1]}": v for n, v in other[k].items()} for k in own}
    for order in (Stack("a", "b"), Stack("b", "a")):
        with AdapterSetup(model, order):
            check(hidden(model), hidden(changed(family, both, joined)))


def test_the_norm_is_a_constant_in_the_gradient() -> None:
    model = doubled("bert", one="dora[r=3, alpha=6, targets=[q]]")
    part = model.adapter_runtime.injection.parts("one")[0, "attn.q"]
    linear = model.encoder.layer[0].attention.self.query
    x = torch.randn(4, WIDTH, dtype=torch.float64)
    model.active_adapters = "one"
    linear(x).square().sum().backward()
    a, b, m = (p.detach().requires_grad_() for p in (part.lora_a, part.lora_b, part.magnitude))
    v = linear.weight.detach() + 2 * b @ a
    norm = v.detach().norm(dim=1)
    (x @ (m[:, None] * v / norm[:, None]).T + linear.bias.detach()).square().sum().backward()
    for found, expected in ((part.lora_a, a), (part.lora_b, b), (part.magnitude, m)):
        check(found.grad, expected.grad)


def test_dropout_acts_on_the_input_of_the_whole_update() -> None:
    model = doubled("bert", one="dora[r=3, alpha=6, dropout=0.5, targets=[q]]")
    part = model.adapter_runtime.injection.parts("one")[0, "attn.q"]
    linear = model.encoder.layer[0].attention.self.query
    model.active_adapters = "one"
    x = torch.randn(4, WIDTH, dtype=torch.float64)
    update = part.weight_delta().weight
    with torch.no_grad():
        check(linear(x) - (x @ linear.weight.T + linear.bias), x @ update.T)
        part.train()
        torch.manual_seed(3)
        found = linear(x)
        torch.manual_seed(3)
        dropped = F.dropout(x, 0.5)
        check(found - (x @ linear.weight.T + linear.bias), dropped @ update.T)


def test_a_convolution_and_an_embedding() -> None:
    base = build("bert").double()
    base.beside = nn.Conv2d(6, 10, (3, 2), stride=2).double()
    model: Any = adapter_lib.init(base)
    model.add_adapter("one", "dora[r=3, alpha=6, targets=[beside, word_embeddings]]")
    shake(model, "one")
    places = {part.place.kind: part for part in model.adapter_runtime.injection.members("one")}
    model.active_adapters = "one"
    with torch.no_grad():
        own, x = places["conv"], torch.randn(2, 6, 9, 8, dtype=torch.float64)
        v = model.beside.weight + 2 * torch.einsum("or,rikl->oikl", own.lora_b, own.lora_a)
        norm = v.square().sum((1, 2, 3)).sqrt()
        weight = (own.magnitude / norm).view(-1, 1, 1, 1) * v
        check(model.beside(x), F.conv2d(x, weight, model.beside.bias, 2))
        own, table = places["embedding"], model.embeddings.word_embeddings
        v = table.weight.T + 2 * own.lora_b @ own.lora_a
        ids = torch.tensor([[3, 5]])
        check(table(ids), (own.magnitude / v.norm(dim=1)) * v.T[ids])
        expected = model.beside(x)
        model.merge_adapter("one")
        check(model.beside(x), expected)


def test_experts_are_refused() -> None:
    with pytest.raises(ConfigError, match="must be one of"):
        adapter_lib.parse_config("dora[init_weights=pissa]")
