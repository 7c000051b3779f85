"""Bottleneck adapters against their equations, recomputed densely in float64, post-norm and pre-norm."""

import copy
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

import adapter_lib
from adapter_lib import AdapterSetup, Parallel, Stack
from adapter_lib.engine.plan import Grouped
from adapter_lib.methods.non_linearities import non_linearity
from adapter_lib.spec.composition import BatchSplit
from adapter_lib.spec.configs import config_from_dict
from adapter_lib.spec.configs.non_linearities import NON_LINEARITIES
from adapter_lib.spec.errors import ConfigError, FamilyError
from tests.adapter_lib.methods import dense
from tests.adapter_lib.tiny import WIDTH, build, inputs, prepared, shake
from tests.adapter_lib.zoo import MODELS

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
    parts = model.adapter_runtime.injection.parts(name)
    return lambda layer, site: {k: v.detach() for k, v in parts[layer, site].named_parameters()}


def _check(model: Any, composition: Any, mh: dense.SiteRule, ffn: dense.SiteRule) -> None:
    with torch.no_grad():
        base_output = model(IDS).last_hidden_state
        torch.testing.assert_close(model.oracle(model, IDS), base_output, atol=1e-10, rtol=0)
        expected = model.oracle(model, IDS, mh, ffn)
        with AdapterSetup(model, composition):
            found = model(IDS).last_hidden_state
    torch.testing.assert_close(found, expected, atol=1e-10, rtol=0)
    assert (expected - base_output).abs().max() > 1e-3


def _gate(x: Tensor, w: dict[str, Tensor]) -> Tensor:
    return torch.sigmoid(x @ w["gate.weight"].T + w["gate.bias"]).mean(1, keepdim=True)


def test_seq_bn(model: Any) -> None:
    weights = _add(model, "seq_bn[reduction_factor=4]")

    def ffn(i: int, u: Tensor, x: Tensor, norm: Norm) -> Tensor:
        return norm(dense.bottleneck(norm(u + x), weights(i, "ffn"), torch.relu) + u + x)

    _check(model, "one", dense.plain, ffn)


@pytest.mark.parametrize("config", ["double_seq_bn[reduction_factor=8]", "houlsby[reduction_factor=0.5]"])
def test_double_seq_bn(model: Any, config: str) -> None:
    weights = _add(model, config)

    def rule(site: str) -> dense.SiteRule:
        return lambda i, u, x, norm: norm(dense.bottleneck(u, weights(i, site), F.silu) + u + x)

    assert weights(0, "mh")["down.weight"].shape[0] == (4 if "=8" in config else 2 * WIDTH)
    _check(model, "one", rule("mh"), rule("ffn"))


@pytest.mark.parametrize("config", ["par_bn", "scaled_par_bn", "par_bn[scaling=channel]"])
def test_par_bn(model: Any, config: str) -> None:
    weights = _add(model, config)

    def ffn(i: int, u: Tensor, x: Tensor, norm: Norm) -> Tensor:
        w = weights(i, "ffn")
        return norm(u + w.get("scaling", torch.tensor(4.0)) * dense.bottleneck(x, w, torch.relu) + x)

    _check(model, "one", dense.plain, ffn)


def test_adapter_plus(model: Any) -> None:
    weights = _add(model, "adapter_plus[reduction_factor=8]")

    def ffn(i: int, u: Tensor, x: Tensor, norm: Norm) -> Tensor:
        w, normed = weights(i, "ffn"), norm(u + x)
        return w["scaling"] * dense.bottleneck(normed, w, F.gelu) + normed

    _check(model, "one", dense.plain, ffn)


def test_the_gate_of_a_sequential_one_looks_at_what_goes_in(model: Any) -> None:
    weights = _add(model, "seq_bn[use_gating=true, ln_after=true]")

    def ffn(i: int, u: Tensor, x: Tensor, norm: Norm) -> Tensor:
        w, v = weights(i, "ffn"), norm(u + x)
        z = _gate(v, w) * dense.bottleneck(v, w, torch.relu)
        return norm(_norm(z, w, "ln_after") + u + x)

    _check(model, "one", dense.plain, ffn)


def test_the_gate_of_a_parallel_one_looks_at_the_residual(model: Any) -> None:
    weights = _add(model, "par_bn[use_gating=true]")

    def ffn(i: int, u: Tensor, x: Tensor, norm: Norm) -> Tensor:
        w = weights(i, "ffn")
        return norm(u + _gate(x, w) * 4 * dense.bottleneck(x, w, torch.relu) + x)

    _check(model, "one", dense.plain, ffn)
    model.active_adapters = "one"
    scores = model(IDS, output_adapter_gating_scores=True).adapter_gating_scores["one"]
    assert {place: tuple(score.shape) for place, score in scores.items()} == {
        f"layers.{i}.ffn": (len(IDS), 1, 1) for i in range(2)
    }


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


def test_cross_attention_has_a_site_of_its_own() -> None:
    model = adapter_lib.init(MODELS["bart"].build().double())
    given = MODELS["bart"].inputs()
    ids, target = given["input_ids"], given["decoder_input_ids"]
    weights = _add(model, "double_seq_bn[cross_adapter=true, reduction_factor=8]")

    def rule(site: str) -> dense.SiteRule:
        return lambda i, u, x, norm: norm(dense.bottleneck(u, weights(i, site), F.silu) + u + x)

    with torch.no_grad():
        base_output = model(input_ids=ids, decoder_input_ids=target).last_hidden_state
        torch.testing.assert_close(dense.bart(model, ids, target), base_output, atol=1e-10, rtol=0)
        expected = dense.bart(model, ids, target, rule("mh"), rule("ffn"), rule("cross"))
        without = dense.bart(model, ids, target, rule("mh"), rule("ffn"))
        model.active_adapters = "one"
        found = model(input_ids=ids, decoder_input_ids=target).last_hidden_state
    torch.testing.assert_close(found, expected, atol=1e-10, rtol=0)
    assert (expected - without).abs().max() > 1e-3
    assert [key for key in model.adapter_runtime.injection.parts("one") if key[1] == "cross"] == [
        (2, "cross"),
        (3, "cross"),
    ]


def test_a_model_without_cross_attention_refuses_it() -> None:
    with pytest.raises(FamilyError, match="bert has no cross"):
        prepared("bert", one="seq_bn[cross_adapter=true]")


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


@pytest.mark.parametrize(
    "config",
    [
        "double_seq_bn",
        "par_bn[mh_adapter=true]",
        "scaled_par_bn",
        "adapter_plus[reduction_factor=4]",
        "seq_bn[ln_before=true, ln_after=true, scaling=channel, residual_before_ln=post_add]",
        "seq_bn[ln_after=true, adapter_residual_before_ln=true, scaling=2]",
    ],
)
def test_equal_ones_side_by_side_are_one_product(model: Any, config: str) -> None:
    names = ("a", "b", "c")
    for name in names:
        _add(model, config, name)
    with torch.no_grad():
        alone = []
        for name in names:
            with AdapterSetup(model, name):
                alone.append(model(IDS).last_hidden_state)
        model.active_adapters = Parallel(*names)
        assert _plans(model) == {Grouped}
        torch.testing.assert_close(model(IDS).last_hidden_state, torch.cat(alone), atol=1e-12, rtol=0)
        model.active_adapters = BatchSplit(*names, batch_sizes=[1, 1, 1])
        assert _plans(model) == {Grouped}
        rows = torch.stack([hidden[i] for i, hidden in enumerate(alone)])
        torch.testing.assert_close(model(IDS).last_hidden_state, rows, atol=1e-12, rtol=0)


@pytest.mark.parametrize(
    "other",
    ["seq_bn[reduction_factor=8]", "seq_bn[non_linearity=gelu]", "seq_bn[use_gating=true]", "par_bn"],
)
def test_unequal_ones_side_by_side_are_computed_in_turn(other: str) -> None:
    model = prepared("bert", a="seq_bn", b=other)
    model.active_adapters = Parallel("a", "b")
    assert Grouped not in _plans(model)


def _plans(model: Any) -> set[type]:
    plans = [point.plan for point in model.adapter_runtime.injection.points.points.values()]
    return {type(plan) for plan in plans if plan is not None}


def test_leave_out_and_factors_per_layer(model: Any) -> None:
    model.add_adapter("some", 'seq_bn[leave_out=[0], reduction_factor={"1": 16}]')
    parts = model.adapter_runtime.injection.parts("some")
    assert list(parts) == [(1, "ffn")]
    assert parts[1, "ffn"].down.weight.shape == (2, WIDTH)
    with pytest.raises(ConfigError, match="no value for layer 0"):
        model.add_adapter("none", 'seq_bn[reduction_factor={"1": 16}]')
    assert not [k for k in model.state_dict() if "adapter:none" in k]


def test_starting_values() -> None:
    model: Any = adapter_lib.init(build("bert"))
    starts: dict[str, Any] = {}
    for init in ("bert", "mam_adapter", "houlsby"):
        torch.manual_seed(0)
        model.add_adapter(init, f"seq_bn[init_weights={init}, reduction_factor=1]")
        starts[init] = model.adapter_runtime.injection.parts(init)[0, "ffn"]
        assert not starts[init].down.bias.any()
        assert not starts[init].up.bias.any()
    downs = {init: part.down.weight.detach() for init, part in starts.items()}
    assert downs["bert"].std().item() == pytest.approx(0.02, rel=0.1)
    assert downs["houlsby"].abs().max() <= 0.02
    assert downs["houlsby"].std().item() == pytest.approx(0.0088, rel=0.1)
    # Kaiming-uniform with a = √5 is uniform in ±1/√width.
    assert downs["mam_adapter"].abs().max() <= WIDTH**-0.5
    assert downs["mam_adapter"].std().item() == pytest.approx((WIDTH * 3) ** -0.5, rel=0.1)
    assert not starts["mam_adapter"].up.weight.any()


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


@pytest.mark.parametrize("preset", ["seq_bn", "par_bn"])
@pytest.mark.parametrize("names", [("a",), ("a", "b")])
def test_stochastic_depth_drops_whole_examples(preset: str, names: tuple[str, ...]) -> None:
    """A row's addition is missing or 1/keep times its size; over many rows the mean stays."""
    config = f"{preset}[stochastic_depth=0.25, leave_out=[1]]"
    model = prepared("gpt2", **dict.fromkeys(names, config))
    ids = torch.randint(2, 100, (1, 5)).repeat(400, 1)
    model.active_adapters = names[0] if len(names) == 1 else Parallel(*names)
    parts = [model.adapter_runtime.injection.parts(name)[0, "ffn"] for name in names]
    with torch.no_grad():
        expected = _ffn_output(model, ids)
        with AdapterSetup(model, None):
            base = _ffn_output(model, ids).repeat(len(names), 1, 1)
        for part in parts:
            part.train()
        found = _ffn_output(model, ids)
    full, drawn = (expected - base).flatten(1), (found - base).flatten(1)
    sizes = (drawn * full).sum(1) / full.square().sum(1)
    dropped = sizes.abs() < 1e-3
    torch.testing.assert_close(sizes[~dropped], torch.full_like(sizes[~dropped], 1 / 0.75), atol=1e-3, rtol=0)
    assert 0.15 < dropped[:400].float().mean() < 0.35
    assert 0.15 < dropped[-400:].float().mean() < 0.35


def _ffn_output(model: Any, ids: Tensor) -> Tensor:
    """What leaves the first layer."""
    found: Tensor = model(ids, output_hidden_states=True).hidden_states[1]
    return found


def test_every_non_linearity_has_a_module_without_parameters() -> None:
    x = torch.linspace(-2, 2, 9)
    for name in NON_LINEARITIES:
        module = non_linearity(name)
        assert not list(module.parameters()), name
        assert copy.deepcopy(module)(x).shape == x.shape
    torch.testing.assert_close(non_linearity("leakyrelu")(x), F.leaky_relu(x))
    torch.testing.assert_close(non_linearity("gelu_orig")(x), F.gelu(x))
    torch.testing.assert_close(non_linearity("swish")(x), x * torch.sigmoid(x))


def test_parameters_may_be_finer_than_the_backbone() -> None:
    model = prepared("bert", a="seq_bn[scaling=channel]", b="seq_bn[scaling=channel]")
    model.active_adapters = Parallel("a", "b")
    with torch.no_grad():
        expected = model(IDS).last_hidden_state
        injection = model.adapter_runtime.injection
        model.to(torch.bfloat16)
        for part in (*injection.members("a"), *injection.members("b")):
            part.float()
        for composition, rows in ((Parallel("a", "b"), slice(None)), ("b", slice(3, 6))):
            model.active_adapters = composition
            found = model(IDS).last_hidden_state
            assert found.dtype == torch.bfloat16
            torch.testing.assert_close(found.float(), expected[rows], atol=0.2, rtol=0.1)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("pfeiffer[dropout=0.1]", "seq_bn"),
        ("houlsby", "double_seq_bn"),
        ("parallel", "par_bn"),
        ("par_bn[scaling=learned]", "scaled_par_bn"),
        ("scaled_parallel[reduction_factor=4]", "scaled_par_bn"),
        ("seq_bn[scaling=learned]", "seq_bn"),
        ("adapter+[stochastic_depth=0]", "adapter_plus"),
        ("houlsby+inv[inv_adapter=glow]", "double_seq_bn_inv"),
        ("seq_bn[original_ln_before=false]", "bottleneck"),
    ],
)
def test_presets_and_aliases_know_their_names(text: str, name: str) -> None:
    config = adapter_lib.parse_config(text)
    assert config.name() == name
    assert config_from_dict("bottleneck", config.values()).name() == name


@pytest.mark.parametrize(
    ("key", "said"),
    [("init_weights_seed=3", "call torch.manual_seed"), ("phm_layer=true", "write compacter")],
)
def test_keys_of_other_libraries_are_refused_with_the_reason(key: str, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        prepared("bert", one=f"seq_bn[{key}]")
