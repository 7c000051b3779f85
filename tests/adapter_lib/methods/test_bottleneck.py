"""Bottleneck adapters against their equations, recomputed densely in float64, post-norm and pre-norm."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

import adapter_lib
from adapter_lib import AdapterSetup, Parallel, Stack
from adapter_lib.spec.errors import ConfigError
from tests.adapter_lib.methods import dense
from tests.adapter_lib.tiny import WIDTH, build, inputs, shake

ORACLES = {"bert": dense.bert, "gpt2": dense.gpt2}
IDS = inputs()["input_ids"]
Norm = Callable[[Tensor], Tensor]


@pytest.fixture(params=ORACLES)
def model(request: pytest.FixtureRequest) -> Any:
    found = adapter_lib.init(build(request.param).double())
    found.oracle = ORACLES[request.param]
    return found


def _add(model: Any, config: str, name: str = "one") -> Callable[[int, str], dict[str, Tensor]]:
    """Add an adapter with random weights; gives a way to read its weights by (layer, site)."""
    model.add_adapter(name, config)
    shake(model, name)
    tensors = {k: v for k, v in model.state_dict().items() if f".adapter:{name}." in k}

    def weights(layer: int, site: str) -> dict[str, Tensor]:
        place = f".{layer}."
        own = {
            k: v for k, v in tensors.items() if place in k.split("adapter_lib_")[0] and f"site_{site}." in k
        }
        return {k.split(f"adapter:{name}.")[1]: v for k, v in own.items()}

    return weights


def _check(model: Any, composition: Any, mh: dense.SiteRule, ffn: dense.SiteRule) -> None:
    with torch.no_grad():
        base_output = model(IDS).last_hidden_state
        torch.testing.assert_close(model.oracle(model, IDS), base_output, atol=1e-10, rtol=0)
        expected = model.oracle(model, IDS, mh, ffn)
        with AdapterSetup(model, composition):
            found = model(IDS).last_hidden_state
    torch.testing.assert_close(found, expected, atol=1e-10, rtol=0)
    assert (expected - base_output).abs().max() > 1e-3


def test_seq_bn(model: Any) -> None:
    weights = _add(model, "seq_bn[reduction_factor=4]")

    def ffn(i: int, u: Tensor, x: Tensor, norm: Norm) -> Tensor:
        return norm(dense.bottleneck(norm(u + x), weights(i, "ffn"), torch.relu) + u + x)

    _check(model, "one", dense.plain, ffn)


def test_double_seq_bn(model: Any) -> None:
    weights = _add(model, "double_seq_bn[reduction_factor=8]")

    def rule(site: str) -> dense.SiteRule:
        return lambda i, u, x, norm: norm(dense.bottleneck(u, weights(i, site), F.silu) + u + x)

    _check(model, "one", rule("mh"), rule("ffn"))


@pytest.mark.parametrize("scaling", ["4.0", "learned", "channel"])
def test_par_bn(model: Any, scaling: str) -> None:
    weights = _add(model, f"par_bn[scaling={scaling}]")

    def ffn(i: int, u: Tensor, x: Tensor, norm: Norm) -> Tensor:
        w = weights(i, "ffn")
        return norm(u + w.get("scaling", torch.tensor(4.0)) * dense.bottleneck(x, w, torch.relu) + x)

    _check(model, "one", dense.plain, ffn)


def test_residual_after_the_norm_and_no_norm_after(model: Any) -> None:
    settings = "residual_before_ln=false, original_ln_after=false, non_linearity=gelu, reduction_factor=4"
    weights = _add(model, f"seq_bn[{settings}]")

    def ffn(i: int, u: Tensor, x: Tensor, norm: Norm) -> Tensor:
        normed = norm(u + x)
        return dense.bottleneck(normed, weights(i, "ffn"), F.gelu) + normed

    _check(model, "one", dense.plain, ffn)


def test_post_add_residual(model: Any) -> None:
    weights = _add(model, "seq_bn[residual_before_ln=post_add]")

    def ffn(i: int, u: Tensor, x: Tensor, norm: Norm) -> Tensor:
        return norm(dense.bottleneck(norm(u + x), weights(i, "ffn"), torch.relu) + (u + x) + x)

    _check(model, "one", dense.plain, ffn)


@pytest.mark.parametrize("residual_inside", [True, False])
def test_norms_of_its_own(model: Any, residual_inside: bool) -> None:
    settings = f"ln_before=true, ln_after=true, adapter_residual_before_ln={residual_inside}"
    weights = _add(model, f"seq_bn[original_ln_before=false, {settings}]")

    def ffn(i: int, u: Tensor, x: Tensor, norm: Norm) -> Tensor:
        w = weights(i, "ffn")
        z = dense.bottleneck(_norm(u, w, "ln_before"), w, torch.relu)
        a = _norm(z + u, w, "ln_after") if residual_inside else _norm(z, w, "ln_after") + u
        return norm(a + x)

    _check(model, "one", dense.plain, ffn)


def _norm(x: Tensor, w: dict[str, Tensor], name: str) -> Tensor:
    spread = (x.var(-1, unbiased=False, keepdim=True) + 1e-5).sqrt()
    return (x - x.mean(-1, keepdim=True)) / spread * w[f"{name}.weight"] + w[f"{name}.bias"]


def test_a_stack_feeds_one_into_the_next(model: Any) -> None:
    first, second = _add(model, "seq_bn", "a"), _add(model, "double_seq_bn[reduction_factor=8]", "b")

    def ffn(i: int, u: Tensor, x: Tensor, norm: Norm) -> Tensor:
        u = dense.bottleneck(norm(u + x), first(i, "ffn"), torch.relu) + u
        return norm(dense.bottleneck(u, second(i, "ffn"), F.silu) + u + x)

    def mh(i: int, u: Tensor, x: Tensor, norm: Norm) -> Tensor:
        return norm(dense.bottleneck(u, second(i, "mh"), F.silu) + u + x)

    _check(model, Stack("a", "b"), mh, ffn)


def test_channels_with_and_without_the_models_norm_stand_side_by_side(model: Any) -> None:
    _add(model, "seq_bn", "normed")
    _add(model, "seq_bn[original_ln_after=false]", "bare")
    with torch.no_grad():
        alone = []
        for name in ("normed", "bare", "normed"):
            model.active_adapters = name
            alone.append(model(IDS).last_hidden_state)
        model.active_adapters = Parallel("normed", "bare", "normed")
        torch.testing.assert_close(model(IDS).last_hidden_state, torch.cat(alone), atol=1e-10, rtol=0)


def test_leave_out_and_factors_per_layer(model: Any) -> None:
    model.add_adapter("some", 'seq_bn[leave_out=[0], reduction_factor={"1": 16}]')
    keys = [k for k in model.state_dict() if "adapter:some.down.weight" in k]
    assert len(keys) == 1
    assert ".1." in keys[0]
    assert model.state_dict()[keys[0]].shape == (2, WIDTH)
    with pytest.raises(ConfigError, match="no value for layer 0"):
        model.add_adapter("none", 'seq_bn[reduction_factor={"1": 16}]')
    assert not [k for k in model.state_dict() if "adapter:none" in k]


def test_starting_values() -> None:
    model: Any = adapter_lib.init(build("bert"))
    for init in ("bert", "mam_adapter", "houlsby"):
        torch.manual_seed(0)
        model.add_adapter(init, f"seq_bn[init_weights={init}, reduction_factor=1]")
    start = {k: v for k, v in model.state_dict().items() if "adapter:" in k}
    for key, value in start.items():
        if key.endswith("bias"):
            assert not value.any(), key
    downs = {
        name: start[f"encoder.layer.0.output.dropout.adapter_lib_site_ffn.adapter:{name}.down.weight"]
        for name in ("bert", "mam_adapter", "houlsby")
    }
    ups = {k.split("adapter:")[1].split(".")[0]: v for k, v in start.items() if k.endswith("up.weight")}
    assert downs["bert"].std().item() == pytest.approx(0.02, rel=0.1)
    assert downs["houlsby"].abs().max() <= 0.02
    assert downs["houlsby"].std().item() == pytest.approx(0.0088, rel=0.1)
    # Kaiming-uniform with a = √5 is uniform in ±1/√width.
    assert downs["mam_adapter"].abs().max() <= WIDTH**-0.5
    assert downs["mam_adapter"].std().item() == pytest.approx((WIDTH * 3) ** -0.5, rel=0.1)
    assert not ups["mam_adapter"].any()


def test_dropout_acts_in_training_only() -> None:
    model: Any = adapter_lib.init(build("bert"))
    model.add_adapter("one", "seq_bn[dropout=0.5]")
    shake(model, "one")
    model.active_adapters = "one"
    with torch.no_grad():
        assert torch.equal(model(IDS).last_hidden_state, model(IDS).last_hidden_state)
        for part in model.adapter_runtime.injection.parts("one").values():
            part.train()
        assert not torch.equal(model(IDS).last_hidden_state, model(IDS).last_hidden_state)
