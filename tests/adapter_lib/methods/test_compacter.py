"""Compacter against explicit Kronecker products, recomputed densely in float64."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

import adapter_lib
from adapter_lib import AdapterSetup, Parallel
from adapter_lib.engine.plan import Grouped
from adapter_lib.spec.configs import CompacterConfig, Place, config_from_dict
from adapter_lib.spec.errors import ConfigError
from tests.adapter_lib.methods import dense
from tests.adapter_lib.tiny import WIDTH, adapter_parameters, build, inputs, prepared, shake
from tests.adapter_lib.zoo import MODELS

ORACLES = {"bert": dense.bert, "gpt2": dense.gpt2}
IDS = inputs()["input_ids"]
Norm = Callable[[Tensor], Tensor]
SIZE = "reduction_factor=4"
VARIANTS = (
    SIZE,
    f"{SIZE}, phm_rank=3",
    f"{SIZE}, phm_dim=2, shared_phm_rule=false",
    f"{SIZE}, factorized_phm_rule=true",
    f"{SIZE}, factorized_phm_rule=true, shared_phm_rule=false, phm_bias=false",
    f"{SIZE}, factorized_phm_W=false",
    f"{SIZE}, shared_W_phm=true",
    f"{SIZE}, shared_W_phm=true, factorized_phm_W=false, shared_phm_rule=false",
)


def _weights(model: Any, name: str = "one") -> Callable[[int, str], dict[str, Tensor]]:
    """By (layer, site): the dense down and up that the adapter's tensors stand for."""
    injection = model.adapter_runtime.injection
    shared = {k: v for part in injection.shared_parts(name).values() for k, v in part.named_parameters()}
    parts = injection.parts(name)

    def dense_weights(layer: int, site: str) -> dict[str, Tensor]:
        tensors = {k: v.detach() for k, v in (shared | dict(parts[layer, site].named_parameters())).items()}
        found = {}
        for place in ("down", "up"):
            h = _kronecker_sum(tensors, place)
            found[f"{place}.weight"] = h.T
            found[f"{place}.bias"] = tensors.get(f"{place}.bias", torch.zeros(h.shape[1], dtype=h.dtype))
        return found

    return dense_weights


def _kronecker_sum(tensors: dict[str, Tensor], place: str) -> Tensor:
    def one(key: str, left: str, right: str, i: int) -> Tensor:
        own = {k.rpartition(".")[2]: v for k, v in tensors.items() if k.startswith(f"{place}.")}
        there = {k: v for k, v in tensors.items() if "." not in k} | own
        return there[key][i] if key in there else there[left][i] @ there[right][i]

    n = next(v.shape[0] for k, v in tensors.items() if v.dim() == 3)
    a = [one("rule", "rule_left", "rule_right", i) for i in range(n)]
    b = [one("weight", "left", "right", i) for i in range(n)]
    return torch.stack([torch.kron(a[i], b[i]) for i in range(n)]).sum(0)


@pytest.mark.parametrize("family", ORACLES)
@pytest.mark.parametrize("settings", VARIANTS)
def test_compacter_is_a_double_bottleneck_of_kronecker_sums(family: str, settings: str) -> None:
    model = adapter_lib.init(build(family).double())
    model.add_adapter("one", f"compacter[{settings}]")
    shake(model, "one")
    weights = _weights(model)

    def rule(site: str) -> dense.SiteRule:
        return lambda i, u, x, norm: norm(dense.bottleneck(u, weights(i, site), F.gelu) + u + x)

    _check(model, ORACLES[family], rule("mh"), rule("ffn"))


@pytest.mark.parametrize("family", ORACLES)
def test_compacter_plus_plus_stands_behind_the_feed_forward_block_alone(family: str) -> None:
    model = adapter_lib.init(build(family).double())
    model.add_adapter("one", f"compacter++[{SIZE}, use_gating=true]")
    shake(model, "one")
    weights, parts = _weights(model), model.adapter_runtime.injection.parts("one")

    def ffn(i: int, u: Tensor, x: Tensor, norm: Norm) -> Tensor:
        v = norm(u + x)
        gate = torch.sigmoid(parts[i, "ffn"].gate(v)).mean(1, keepdim=True)
        return norm(gate * dense.bottleneck(v, weights(i, "ffn"), F.gelu) + u + x)

    _check(model, ORACLES[family], dense.plain, ffn)


def _check(model: Any, oracle: Callable[..., Tensor], mh: dense.SiteRule, ffn: dense.SiteRule) -> None:
    with torch.no_grad():
        base_output = model(IDS).last_hidden_state
        expected = oracle(model, IDS, mh, ffn)
        with AdapterSetup(model, "one"):
            found = model(IDS).last_hidden_state
    torch.testing.assert_close(found, expected, atol=1e-10, rtol=0)
    assert (expected - base_output).abs().max() > 1e-3


def test_an_encoder_decoder_shares_one_rule_between_its_towers() -> None:
    tiny = MODELS["bart"]
    model = adapter_lib.init(tiny.build().double())
    model.add_adapter("one", f"compacter[{SIZE}, cross_adapter=true]")
    shake(model, "one")
    ids, target = (tiny.inputs()[key] for key in ("input_ids", "decoder_input_ids"))
    weights = _weights(model)

    def rule(site: str) -> dense.SiteRule:
        return lambda i, u, x, norm: norm(dense.bottleneck(u, weights(i, site), F.gelu) + u + x)

    with torch.no_grad():
        expected = dense.bart(model, ids, target, rule("mh"), rule("ffn"), rule("cross"))
        model.active_adapters = "one"
        found = model(input_ids=ids, decoder_input_ids=target).last_hidden_state
    torch.testing.assert_close(found, expected, atol=1e-10, rtol=0)


def test_what_is_shared_is_there_once() -> None:
    n, inner = 4, WIDTH // 4
    per_place = 2 * n * (WIDTH // n + inner // n) + inner + WIDTH
    counts = {}
    for settings in ("", ", shared_phm_rule=false", ", shared_W_phm=true"):
        model = prepared("bert", one=f"compacter[{SIZE}{settings}]")
        counts[settings] = sum(p.numel() for p in adapter_parameters(model, "one"))
    assert counts[""] == 4 * per_place + n**3
    assert counts[", shared_phm_rule=false"] == 4 * (per_place + 2 * n**3)
    assert counts[", shared_W_phm=true"] == n**3 + 2 * n * (WIDTH // n + inner // n) + 4 * (inner + WIDTH)


def test_equal_ones_side_by_side_are_one_product() -> None:
    model = adapter_lib.init(build("bert").double())
    for name in ("a", "b"):
        model.add_adapter(name, f"compacter[{SIZE}]")
        shake(model, name)
    with torch.no_grad():
        alone = []
        for name in ("a", "b"):
            with AdapterSetup(model, name):
                alone.append(model(IDS).last_hidden_state)
        model.active_adapters = Parallel("a", "b")
        plans = [point.plan for point in model.adapter_runtime.injection.points.points.values()]
        assert {type(plan) for plan in plans} == {Grouped}
        torch.testing.assert_close(model(IDS).last_hidden_state, torch.cat(alone), atol=1e-12, rtol=0)


def test_starting_values() -> None:
    starts: dict[str, Any] = {}
    for init in ("glorot-uniform", "glorot-normal", "normal"):
        model: Any = adapter_lib.init(build("bert"))
        settings = f"reduction_factor=1, phm_rank=8, hypercomplex_nonlinearity={init}"
        torch.manual_seed(0)
        model.add_adapter("one", f"compacter++[{settings}, phm_c_init=normal, phm_init_range=0.5]")
        starts[init] = model.adapter_runtime.injection.parts("one")[0, "ffn"].down.left.detach()
        shared = model.adapter_runtime.injection.shared_parts("one")[""]
        assert shared.rule.std().item() == pytest.approx(0.5, rel=0.3)
    # Each L_i is [8, 8]: Glorot's bound is √(6 / 16), its deviation √(2 / 16).
    assert starts["glorot-uniform"].abs().max() <= (6 / 16) ** 0.5
    assert starts["glorot-uniform"].std().item() == pytest.approx((2 / 16) ** 0.5, rel=0.15)
    assert starts["glorot-normal"].std().item() == pytest.approx((2 / 16) ** 0.5, rel=0.15)
    assert starts["glorot-normal"].abs().max() > (6 / 16) ** 0.5
    assert starts["normal"].std().item() == pytest.approx(0.01, rel=0.15)
    model = adapter_lib.init(build("bert"))
    model.add_adapter("one", f"compacter[{SIZE}, phm_c_init=uniform, ln_before=true]")
    rule = model.adapter_runtime.injection.shared_parts("one")[""].rule
    assert 0.5 < rule.abs().max() <= 1
    part = model.adapter_runtime.injection.parts("one")[0, "ffn"]
    assert not part.up.bias.any()
    assert bool((part.ln_before.weight == 1).all())


@pytest.mark.parametrize("sharing", ["true", "false"])
def test_a_rule_that_is_not_learned_stays(sharing: str) -> None:
    model = prepared("bert", one=f"compacter[{SIZE}, learn_phm=false, shared_phm_rule={sharing}]")
    model.train_adapter("one")
    trained = {name for name, p in model.named_parameters() if p.requires_grad}
    assert trained
    assert not [name for name in trained if name.endswith("rule")]
    assert [name for name, _ in model.named_parameters() if name.endswith("rule")]


def test_sizes_that_do_not_divide_are_refused() -> None:
    with pytest.raises(ConfigError, match="phm_dim=5 must divide the model's width, and that is 32"):
        CompacterConfig(phm_dim=5).shapes(Place("ffn", 0, 32, 32, "site"))
    place = Place("ffn", 0, 768, 768, "site")
    assert CompacterConfig().shapes(place)["down.bias"] == (24,)
    assert CompacterConfig(reduction_factor=100).shapes(place)["down.bias"] == (8,)
    with pytest.raises(ConfigError, match="shared_W_phm needs bottlenecks of one size"):
        prepared("bert", one='compacter[shared_W_phm=true, reduction_factor={"0": 4, "default": 8}]')


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"phm_dim": 0}, "phm_dim must be a whole number"),
        ({"phm_rank": 1.5}, "phm_rank must be a whole number"),
        ({"learn_phm": 1}, "learn_phm must be true or false"),
        ({"phm_c_init": "zeros"}, "phm_c_init must be one of 'normal', 'uniform'"),
        ({"hypercomplex_nonlinearity": "phm"}, "must be one of 'glorot-uniform'"),
        ({"init_weights": "houlsby"}, "hypercomplex_nonlinearity say it"),
    ],
)
def test_bad_values_are_refused(values: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        config_from_dict("compacter", values)


def test_presets_know_their_names() -> None:
    assert adapter_lib.parse_config("compacter").name() == "compacter"
    assert adapter_lib.parse_config("compacter++[phm_rank=2]").name() == "compacter++"
    assert adapter_lib.parse_config("compacter++").roles() == ("ffn",)
