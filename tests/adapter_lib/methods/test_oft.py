"""OFT against W R, R built block by block with an inverse."""

from typing import Any

import pytest
import torch
from torch import Tensor

from adapter_lib import AdapterSetup, Stack
from adapter_lib.methods.rotation import cayley as turning
from adapter_lib.spec.configs import OFTConfig, Place
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


def cayley(entries: Tensor, width: int, limit: float | None = None) -> Tensor:
    """(I + Q) (I - Q)⁻¹ with Q filled above the diagonal row by row."""
    q = torch.zeros(width, width, dtype=entries.dtype)
    values = iter(entries.tolist())
    for i in range(width):
        for j in range(i + 1, width):
            q[i, j] = next(values)
            q[j, i] = -q[i, j]
    if limit is not None and q.norm() > limit:
        q *= limit / q.norm()
    identity = torch.eye(width, dtype=entries.dtype)
    return (identity + q) @ torch.linalg.inv(identity - q)


def _rotation(own: Any, inputs: int, width: int, limit: float | None = None) -> Tensor:
    blocks = [cayley(entries, width, limit) for entries in own["skew"]]
    return torch.block_diag(*(blocks * (inputs // width) if len(blocks) == 1 else blocks))


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize(
    ("settings", "width", "limit"),
    [
        ("block_size=8", 8, None),
        (f"block_size=16, {ALL}", 16, None),
        ("blocks=8", 4, None),
        (f"block_size=8, block_share=true, {ALL}", 8, None),
        ("block_size=8, coft=true, eps=0.5", 8, 0.5),
    ],
)
def test_oft_turns_the_inputs(family: str, settings: str, width: int, limit: float | None) -> None:
    def rule(found: Numbers, own: Any) -> tuple[Tensor, Tensor | None]:
        rotation = _rotation(own, found.weight.shape[1], width, limit)
        identity = torch.eye(len(rotation), dtype=rotation.dtype)
        check(rotation @ rotation.T, identity, within=1e-12)
        return found.weight @ rotation, found.bias

    model = doubled(family, one=f"oft[{settings}]")
    model.active_adapters = "one"
    check(hidden(model), hidden(changed(family, rule, tensors(model, "one"))))


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("terms", [1, 2, 4])
def test_a_series_stands_for_the_inverse(family: str, terms: int) -> None:
    def rule(found: Numbers, own: Any) -> tuple[Tensor, Tensor | None]:
        blocks = [_by_series(entries, 8, terms) for entries in own["skew"]]
        return found.weight @ torch.block_diag(*blocks), found.bias

    model = doubled(family, one=f"oft[block_size=8, neumann_terms={terms}]")
    model.active_adapters = "one"
    check(hidden(model), hidden(changed(family, rule, tensors(model, "one"))))
    check_merging(family, f"oft[block_size=8, neumann_terms={terms}]")


def _by_series(entries: Tensor, width: int, terms: int) -> Tensor:
    """(I + Q) times the first powers of Q added up, with Q from its entries above the diagonal."""
    q = torch.zeros(width, width, dtype=entries.dtype)
    rows, columns = torch.triu_indices(width, width, 1)
    q[rows, columns] = entries
    q = q - q.T
    identity = torch.eye(width, dtype=entries.dtype)
    powers = torch.stack([torch.linalg.matrix_power(q, k) for k in range(terms)])
    return (identity + q) @ powers.sum(0)


def test_many_terms_of_the_series_are_the_inverse() -> None:
    entries = 0.02 * torch.randn(2, 28, dtype=torch.float64)
    check(turning(entries, 8, terms=20), turning(entries, 8), within=1e-12)


def test_in_a_stack_the_differences_add_up() -> None:
    model = doubled("gpt2", a="oft[block_size=8]", b="oft[block_size=4, targets=[q]]")
    base = build("gpt2").double()

    def rule(found: Numbers, own: Any) -> tuple[Tensor, Tensor | None]:
        return found.weight + own["delta"], found.bias

    deltas = []
    for name, width in (("a", 8), ("b", 4)):
        places = {}
        for (layer, role), own in tensors(model, name).items():
            own_columns = slice(0, 32) if role == "attn.q" else slice(64, 96)
            weight = base.h[layer].attn.c_attn.weight[:, own_columns].detach().T
            difference = _rotation(own, 32, width) - torch.eye(32, dtype=torch.float64)
            places[layer, role] = {"delta": weight @ difference}
        deltas.append(places)
    expected = hidden(changed("gpt2", rule, *deltas))
    for order in (Stack("a", "b"), Stack("b", "a")):
        with AdapterSetup(model, order):
            check(hidden(model), expected)


@pytest.mark.parametrize("family", FAMILIES)
def test_a_fresh_oft_changes_nothing_and_merging_equals_the_forward(family: str) -> None:
    check_fresh(family, "oft")
    check_merging(family, f"oft[block_size=8, {ALL}]")


def test_a_fresh_constrained_oft_has_finite_gradients() -> None:
    model = doubled("bert")
    model.add_adapter("one", "oft[coft=true]")
    model.train_adapter("one")
    model(input_ids=torch.tensor([[3, 4, 5]])).last_hidden_state.square().sum().backward()
    grads = [p.grad for p in model.adapter_runtime.injection.parameters("one")]
    assert all(grad is not None and bool(grad.isfinite().all()) and bool(grad.any()) for grad in grads)


def test_half_precision_solves_in_single() -> None:
    model = doubled("bert", one="oft[block_size=8]")
    model.active_adapters = "one"
    expected = hidden(model)
    model.to(torch.bfloat16)
    found = hidden(model)
    assert found.dtype == torch.bfloat16
    torch.testing.assert_close(found.double(), expected, atol=0.2, rtol=0.1)


def test_widths_that_do_not_divide_are_refused_with_those_that_do() -> None:
    place = Place("attn.q", 0, 12, 12)
    with pytest.raises(ConfigError, match=r"32 does not divide the 12 inputs of attn\.q; 2, 3, 4, 6"):
        OFTConfig().shapes(place)
    with pytest.raises(ConfigError, match="blocks 5 does not divide"):
        OFTConfig(blocks=5).shapes(place)
    assert OFTConfig(blocks=3).shapes(place) == {"skew": (3, 6)}
    assert OFTConfig(block_size=6, block_share=True).shapes(place) == {"skew": (1, 15)}


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("block_size", 1),
        ("blocks", -1),
        ("neumann_terms", -1),
        ("block_share", 1),
        ("coft", "yes"),
        ("eps", 0),
    ],
)
def test_fields_are_checked(field: str, value: Any) -> None:
    with pytest.raises(ConfigError, match=f"OFTConfig: {field} must be"):
        OFTConfig(**{field: value})


def test_size_and_number_of_blocks_exclude_each_other() -> None:
    with pytest.raises(ConfigError, match="blocks must be 0 where block_size is given"):
        OFTConfig(block_size=4, blocks=2)
