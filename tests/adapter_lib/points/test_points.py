"""Points on bare modules: hanging, hooking, merging and leaving no trace."""

import pytest
import torch
from torch import Tensor, nn
from transformers.pytorch_utils import Conv1D

from adapter_lib.engine import Call, Part
from adapter_lib.families import Site
from adapter_lib.methods import Bottleneck, LoRA
from adapter_lib.points import FusedPoint, LeafPoint, Point, SitePoint, hang, maps, original_weight
from adapter_lib.spec.composition import Stack
from adapter_lib.spec.configs import LoRAConfig, Place, SeqBnConfig
from adapter_lib.spec.errors import AttachError

X = torch.randn(2, 3, 4)


def _lora(point: Point) -> Part:
    part = LoRA(LoRAConfig(r=2, alpha=2), point.place, point)
    for parameter in part.parameters():
        nn.init.normal_(parameter)
    return part


def test_a_leaf_acts_merges_and_leaves() -> None:
    for linear in (nn.Linear(4, 5), Conv1D(5, 4)):
        before, weight = linear(X), linear.weight.clone()
        point = LeafPoint(Place("attn.q", 0, *maps.widths(linear)), linear, Call())
        point.install()
        point.add("one", _lora(point))
        assert torch.equal(linear(X), before)
        point.activate(Stack("one"))
        acting = linear(X)
        assert not torch.allclose(acting, before, atol=1e-3)
        point.activate(None)
        point.merge(Stack("one"))
        torch.testing.assert_close(linear(X), acting, atol=1e-5, rtol=1e-5)
        assert torch.equal(original_weight(linear), weight)
        point.reset()
        assert torch.equal(linear.weight, weight)
        point.remove("one")
        point.uninstall()
        assert list(linear.state_dict()) == ["weight", "bias"]
        assert not linear._forward_hooks


def test_the_columns_of_a_fused_map_are_served_apart() -> None:
    linear = Conv1D(6, 4)
    before, weight = linear(X), linear.weight.clone()
    places = {f"attn.{letter}": Place(f"attn.{letter}", 0, 4, 2) for letter in "qkv"}
    cut = dict(zip(places, torch.arange(6).split(2), strict=True))
    fused = FusedPoint(places, cut, linear, Call())
    points = fused.points()
    points["attn.k"].add("one", _lora(points["attn.k"]))
    assert torch.equal(linear(X), before)
    points["attn.k"].activate(Stack("one"))
    acting = linear(X)
    changed = (acting != before).any(0).any(0).tolist()
    assert changed == [False, False, True, True, False, False]
    points["attn.k"].activate(None)
    points["attn.k"].merge(Stack("one"))
    torch.testing.assert_close(linear(X), acting, atol=1e-5, rtol=1e-5)
    assert torch.equal(original_weight(linear), weight)
    points["attn.k"].reset()
    fused.uninstall()
    assert torch.equal(linear(X), before)
    assert not linear._forward_hooks


class _Sub(nn.Linear):
    """A linear map whose input has the name that layers of transformers use."""

    def __init__(self) -> None:
        super().__init__(4, 4)

    def forward(self, hidden_states: Tensor) -> Tensor:
        return super().forward(hidden_states)


class _Layer(nn.Module):
    """A sub-layer whose residual the test can withhold."""

    def __init__(self) -> None:
        super().__init__()
        self.sub, self.norm = _Sub(), nn.LayerNorm(4)

    def forward(self, x: Tensor, *, by_name: bool = False) -> Tensor:
        h = self.sub(hidden_states=x) if by_name else self.sub(x)
        normed: Tensor = self.norm(h + x)
        return normed


def test_a_site_sees_its_residual_by_position_or_by_name() -> None:
    layer = _Layer()
    point = SitePoint(Place("ffn", 0, 4, 4), Site("sub", res="sub", norm="norm"), layer, Call())
    point.install()
    part = Bottleneck(SeqBnConfig(reduction_factor=2), point.place, point)
    part.initialise()
    point.add("one", part)
    point.activate(Stack("one"))
    torch.testing.assert_close(layer(X), layer(X, by_name=True))
    point.uninstall()
    assert not layer.sub._forward_hooks
    assert not layer.sub._forward_pre_hooks


def test_a_site_whose_residual_never_came_says_so() -> None:
    layer = _Layer()
    point = SitePoint(Place("ffn", 0, 4, 4), Site("sub", res="norm"), layer, Call())
    point.install()
    point.add("one", Bottleneck(SeqBnConfig(reduction_factor=2), point.place, point))
    point.activate(Stack("one"))
    with pytest.raises(AttachError, match="ffn of layer 0 ran without its residual"):
        layer(X)


def test_what_cannot_be_served_is_refused() -> None:
    with pytest.raises(AttachError, match="ReLU is no map that this library knows"):
        maps.widths(nn.ReLU())
    linear = nn.Linear(2, 2)
    hang(linear, "leaf", nn.Module())
    with pytest.raises(AttachError, match="prepared twice"):
        hang(linear, "leaf", nn.Module())
