"""Prefix tuning against softmax over [P_K; K], recomputed densely in float64 on four kinds of attention."""

from typing import Any

import pytest
import torch
from torch import Tensor, nn

import adapter_lib
from adapter_lib import AdapterSetup, Parallel, Stack
from adapter_lib.spec.composition import Average, BatchSplit, Route, Split
from adapter_lib.spec.configs import (
    PrefixTuningConfig,
    PrefixTuningFlatConfig,
    config_from_dict,
    mam_config,
    unipelt_config,
)
from adapter_lib.spec.errors import AttachError, ConfigError
from adapter_lib.spec.strings import parse_config
from tests.adapter_lib.methods import dense, dense_attention
from tests.adapter_lib.methods.dense_attention import Pair
from tests.adapter_lib.tiny import adapter_parameters, shake
from tests.adapter_lib.zoo import MODELS

FAMILIES = ("bert", "gpt2", "llama", "t5")
PATHS = {
    "bert": "encoder.layer.{}.attention.self",
    "gpt2": "h.{}.attn",
    "llama": "layers.{}.self_attn",
    "bloom": "h.{}.self_attention",
    "falcon-serial": "h.{}.self_attention",
    "mpt": "blocks.{}.attn",
}
SHAPED = "prefix_tuning[prefix_length=4, bottleneck_size=6]"
FLAT = "prefix_tuning_flat[prefix_length=3]"


def _path(family: str, layer: int, role: str) -> str:
    """Where an attention is; T5's layers 0 and 1 are its encoder's."""
    if family == "t5":
        tower, number = ("encoder", layer) if layer < 2 else ("decoder", layer - 2)
        part = "layer.0.SelfAttention" if role == "attn" else "layer.1.EncDecAttention"
        return f"{tower}.block.{number}.{part}"
    return PATHS[family].format(layer)


def _given(family: str) -> dict[str, Tensor]:
    """Inputs without padding: the dense recomputation knows none."""
    return {name: value for name, value in MODELS[family].inputs().items() if "mask" not in name}


def _doubled(family: str, **adapters: str) -> Any:
    model = adapter_lib.init(MODELS[family].build().double())
    for name, config in adapters.items():
        model.add_adapter(name, config)
        shake(model, name)
    return model


def _hidden(model: Any, family: str) -> Tensor:
    with torch.no_grad():
        found: Tensor = model(**_given(family))[0]
    return found


def _tensors(model: Any, mark: str) -> dict[str, Tensor]:
    named = model.named_parameters()
    return {key.split(mark, 1)[1]: tensor.detach() for key, tensor in named if mark in key}


def _pairs(model: Any, family: str, name: str) -> dict[str, Pair]:
    """P_K and P_V by path, by the equations of the paper, from the adapter's own tensors."""
    shared, found = _tensors(model, f".adapter:{name}#."), {}
    for (layer, role), part in model.adapter_runtime.injection.parts(name).items():
        own = {key: tensor.detach() for key, tensor in part.named_parameters()}
        if "key" in own:
            found[_path(family, layer, role)] = own["key"], own["value"]
            continue
        group = {"bert": "encoder", "t5": "encoder" if layer < 2 else "decoder"}.get(family, "decoder")
        group = "cross" if role == "xattn" else group
        e, d = shared[f"{group}.embedding"], shared[f"{group}.down.weight"]
        inner = torch.tanh(e @ d.T + shared[f"{group}.down.bias"])
        both = inner @ own["up.weight"].T + own["up.bias"]
        width = both.shape[1] // 2
        found[_path(family, layer, role)] = both[:, :width], both[:, width:]
    return found


def _dense(family: str, pairs: dict[str, Pair]) -> Tensor:
    rule = getattr(dense_attention, family)
    twin = dense_attention.with_prefixes(MODELS[family].build().double(), pairs, rule)
    return _hidden(twin, family)


def _joined(first: dict[str, Pair], second: dict[str, Pair]) -> dict[str, Pair]:
    return {
        path: (torch.cat([first[path][0], k]), torch.cat([first[path][1], v]))
        for path, (k, v) in second.items()
    }


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("config", [SHAPED, FLAT])
@pytest.mark.parametrize("attention", ["sdpa", "eager"])
def test_prefixes_stand_in_front_of_keys_and_values(family: str, config: str, attention: str) -> None:
    model = _doubled(family, one=config)
    model.set_attn_implementation(attention)
    pairs = _pairs(model, family, "one")
    assert len(pairs) == (6 if family == "t5" else 2)
    model.active_adapters = "one"
    # Some models take their softmax in float32 when they are asked for eager attention.
    near = 1e-10 if attention == "sdpa" else 2e-6
    torch.testing.assert_close(_hidden(model, family), _dense(family, pairs), atol=near, rtol=0)


@pytest.mark.parametrize(
    ("family", "rule"), [("bloom", "bloom"), ("mpt", "mpt"), ("falcon-serial", "falcon")]
)
@pytest.mark.parametrize("config", [SHAPED, FLAT])
def test_linear_biases_take_nothing_off_a_prefix(family: str, rule: str, config: str) -> None:
    model = _doubled(family, one=config)
    pairs = _pairs(model, family, "one")
    twin = dense_attention.with_prefixes(
        MODELS[family].build().double(), pairs, getattr(dense_attention, rule)
    )
    model.active_adapters = "one"
    # These models take their softmax in float32.
    torch.testing.assert_close(_hidden(model, family), _hidden(twin, family), atol=2e-6, rtol=0)


@pytest.mark.parametrize("family", ["deberta", "deberta-v2"])
def test_the_scores_of_a_prefix_are_those_of_content_alone(family: str) -> None:
    model = _doubled(family, one="prefix_tuning_flat[prefix_length=2, leave_out=[1]]")
    attention = model.encoder.layer[0].attention.self
    key = model.adapter_runtime.injection.parts("one")[0, "attn"].key
    torch.nn.init.zeros_(key[1])
    given, seen = _given(family), []
    handle = attention.register_forward_pre_hook(
        lambda m, args, kwargs: seen.append(args[0] if args else kwargs["hidden_states"]), with_kwargs=True
    )
    with torch.no_grad():
        base = model(**given, output_attentions=True).attentions[0]
        model.active_adapters = "one"
        front, rest = model(**given, output_attentions=True).attentions[0].split([2, base.shape[-1]], dim=-1)
    handle.remove()
    # DeBERTa takes the root of its scale in float32.
    torch.testing.assert_close(rest / rest.sum(-1, keepdim=True), base, atol=1e-8, rtol=0)
    if family == "deberta":
        queries = attention.in_proj(seen[0]).unflatten(-1, (4, 3, -1))[..., 0, :] + attention.q_bias.view(
            4, -1
        )
    else:
        queries = attention.query_proj(seen[0]).unflatten(-1, (4, -1))
    # Three kinds of scores (content, and both with positions) share one variance.
    scores = torch.einsum("bihd,hd->bhi", queries, key[0].view(4, -1)) / (3 * queries.shape[-1]) ** 0.5
    torch.testing.assert_close((front[..., 0] / front[..., 1]).log(), scores, atol=1e-8, rtol=0)


@pytest.mark.parametrize("family", FAMILIES)
def test_a_stack_is_both_prefixes_in_any_order(family: str) -> None:
    model = _doubled(family, a=SHAPED, b=FLAT)
    expected = _dense(family, _joined(_pairs(model, family, "a"), _pairs(model, family, "b")))
    for order in (Stack("a", "b"), Stack("b", "a")):
        with AdapterSetup(model, order):
            torch.testing.assert_close(_hidden(model, family), expected, atol=1e-10, rtol=0)


@pytest.mark.parametrize("family", FAMILIES)
def test_an_average_mixes_what_the_attentions_give(family: str) -> None:
    """In one layer: softmax is no linear map, so it is not the attention over averaged prefixes."""
    only = "leave_out=[1, 2, 3]" if family == "t5" else "leave_out=[1]"
    model = _doubled(family, a=SHAPED[:-1] + f", {only}]", b=FLAT[:-1] + f", {only}]")
    path = _path(family, 0, "attn")
    a, b = (_pairs(model, family, name)[path] for name in ("a", "b"))
    rule = getattr(dense_attention, family)

    def mixed(m: Any, pair: Pair, *args: Any, **kwargs: Any) -> Any:
        first, second = (rule(m, each, *args, **kwargs) for each in (a, b))
        return (0.25 * first[0] + 0.75 * second[0], *first[1:])

    twin = dense_attention.with_prefixes(MODELS[family].build().double(), {path: a}, mixed)
    model.active_adapters = Average("a", "b", weights=[1, 3])
    torch.testing.assert_close(_hidden(model, family), _hidden(twin, family), atol=1e-10, rtol=0)


@pytest.mark.parametrize("family", ["bert", "llama"])
def test_a_prefix_after_an_average_stands_in_every_branch(family: str) -> None:
    model = _doubled(family, a=SHAPED, b=FLAT, c=FLAT, d=SHAPED)
    for tree, same in (
        (Stack(Average("a", "b"), "c"), Average(Stack("a", "c"), Stack("b", "c"))),
        (Average(Average("a", "b"), "c"), Average("a", "b", "c", weights=[1, 1, 2])),
        (Stack("d", Average("a", "b")), Average(Stack("d", "a"), Stack("d", "b"))),
    ):
        with AdapterSetup(model, tree):
            found = _hidden(model, family)
        with AdapterSetup(model, same):
            torch.testing.assert_close(found, _hidden(model, family), atol=1e-10, rtol=0)


@pytest.mark.parametrize("family", ["bert", "gpt2", "llama"])
def test_split_gives_every_query_its_own_prefix(family: str) -> None:
    model = _doubled(family, a=SHAPED, b=FLAT)
    a, b = (_pairs(model, family, name) for name in ("a", "b"))
    rule = getattr(dense_attention, family)

    def by_token(m: Any, pair: Pair, *args: Any, **kwargs: Any) -> Any:
        path = next(p for p, pairs in a.items() if pairs[0] is pair[0])
        first, second = rule(m, a[path], *args, **kwargs)[0], rule(m, b[path], *args, **kwargs)[0]
        return torch.cat([first[:, :3], second[:, 3:]], dim=1), None

    twin = dense_attention.with_prefixes(MODELS[family].build().double(), a, by_token)
    model.active_adapters = Split("a", "b", splits=[3, 4])
    torch.testing.assert_close(_hidden(model, family), _hidden(twin, family), atol=1e-10, rtol=0)


@pytest.mark.parametrize("family", FAMILIES)
def test_lengths_may_differ_from_row_to_row(family: str) -> None:
    model = _doubled(family, a=SHAPED, b=FLAT)
    trees = ["a", "b", Stack("a", "b"), Average("a", "b")]
    alone = []
    for tree in trees:
        with AdapterSetup(model, tree):
            alone.append(_hidden(model, family))
    with AdapterSetup(model, Parallel(*trees)):
        torch.testing.assert_close(_hidden(model, family), torch.cat(alone), atol=1e-10, rtol=0)
    rows = torch.cat([alone[0][:1], alone[3][1:2], alone[1][2:]])
    with AdapterSetup(model, BatchSplit("a", Average("a", "b"), "b", batch_sizes=[1, 1, 1])):
        torch.testing.assert_close(_hidden(model, family), rows, atol=1e-10, rtol=0)


def test_rows_without_a_prefix_are_the_bases() -> None:
    model = _doubled("bert", a=FLAT, b="seq_bn")
    base = _hidden(model, "bert")
    with AdapterSetup(model, "b"):
        other = _hidden(model, "bert")
    model.active_adapters = BatchSplit("a", "b", batch_sizes=[2, 1])
    found = _hidden(model, "bert")
    torch.testing.assert_close(found[2:], other[2:], atol=1e-12, rtol=0)
    assert not torch.allclose(found[:2], base[:2], atol=1e-3)


@pytest.mark.parametrize(("setting", "gates"), [("", 1), (", shared_gating=false", 2)])
@pytest.mark.parametrize("family", ["bert", "gpt2"])
def test_gates_multiply_prefix_keys_and_values(family: str, setting: str, gates: int) -> None:
    model = _doubled(family, one=f"prefix_tuning_flat[prefix_length=3, use_gating=true{setting}]")
    weights = {key: part.gate for key, part in model.adapter_runtime.injection.parts("one").items()}
    rule, seen = getattr(dense_attention, family), {}

    def gated(m: Any, pair: Pair, x: Tensor, *args: Any, **kwargs: Any) -> Any:
        layer = next(int(word) for word in names[m].split(".") if word.isdigit())
        gate = weights[layer, "attn"]
        assert gate.weight.shape[0] == gates
        g = torch.sigmoid(x @ gate.weight.T + gate.bias).mean(dim=1, keepdim=True)
        seen[f"layers.{layer}.attn"] = g
        return rule(m, (pair[0] * g[..., :1], pair[1] * g[..., -1:]), x, *args, **kwargs)

    twin = dense_attention.with_prefixes(MODELS[family].build().double(), _pairs(model, family, "one"), gated)
    names = {module: name for name, module in twin.named_modules()}
    model.active_adapters = "one"
    torch.testing.assert_close(_hidden(model, family), _hidden(twin, family), atol=1e-10, rtol=0)
    scores = model(**_given(family), output_adapter_gating_scores=True)["adapter_gating_scores"]["one"]
    torch.testing.assert_close(scores, seen, atol=1e-10, rtol=0)


def test_dropout_falls_on_the_prefix_while_training() -> None:
    model = _doubled("bert", one="prefix_tuning_flat[prefix_length=3, dropout=0.5]")
    model.active_adapters = "one"
    still = _hidden(model, "bert")
    assert torch.equal(_hidden(model, "bert"), still)
    for part in model.adapter_runtime.injection.members("one"):
        part.train()
    assert not torch.allclose(_hidden(model, "bert"), still)


def test_a_route_mixes_attentions_token_by_token() -> None:
    model = _doubled("bert", a=FLAT + "", b=SHAPED)
    model.add_route(["a", "b"])
    with AdapterSetup(model, Average("a", "b")):
        expected = _hidden(model, "bert")
    with AdapterSetup(model, Route("a", "b")):  # an untrained route counts every child the same
        torch.testing.assert_close(_hidden(model, "bert"), expected, atol=1e-10, rtol=0)
        part = model.adapter_runtime.injection.block_parts("route", "a,b")[0, "attn"]
        torch.nn.init.normal_(part.gate.weight)
        assert not torch.allclose(_hidden(model, "bert"), expected, atol=1e-4)


@pytest.mark.parametrize("family", ["bert", "llama", "t5"])
def test_a_fuse_attends_to_what_the_attentions_give(family: str) -> None:
    """In one layer, against AdapterFusion's equations over what each prefix changes of the output."""
    only = "leave_out=[1, 2, 3]" if family == "t5" else "leave_out=[1]"
    model = _doubled(family, a=SHAPED[:-1] + f", {only}]", b=FLAT[:-1] + f", {only}]")
    model.add_adapter_fusion(["a", "b"])
    part = model.adapter_runtime.injection.block_parts("fuse", "a,b")[0, "attn"]
    for parameter in part.parameters():
        nn.init.normal_(parameter, std=0.3)
    path = _path(family, 0, "attn")
    pairs = [_pairs(model, family, name)[path] for name in ("a", "b")]
    none = tuple(p[:0] for p in pairs[0])
    rule, out = getattr(dense_attention, family), {"llama": "o_proj", "t5": "o"}.get(family)

    def fused(m: Any, pair: Pair, *args: Any, **kwargs: Any) -> Any:
        last = getattr(m, out) if out else None
        if out:
            setattr(m, out, nn.Identity())
        plain, *given = (rule(m, p, *args, **kwargs) for p in (none, *pairs))
        if out:
            setattr(m, out, last)
        z = torch.stack([each[0] - plain[0] for each in given], dim=-2)
        q = plain[0] @ part.query.weight.T + part.query.bias
        k = z @ part.key.weight.T + part.key.bias
        p = torch.softmax(torch.einsum("bsd,bsnd->bsn", q, k), dim=-1)
        total = plain[0] + torch.einsum("bsn,bsnd->bsd", p, z @ part.value.weight.T)
        return (total if last is None else last(total), *plain[1:])

    twin = dense_attention.with_prefixes(MODELS[family].build().double(), {path: pairs[0]}, fused)
    model.active_adapters = adapter_lib.spec.composition.Fuse("a", "b")
    torch.testing.assert_close(_hidden(model, family), _hidden(twin, family), atol=1e-10, rtol=0)


@pytest.mark.parametrize("family", FAMILIES)
def test_ejecting_bakes_the_prefix_and_changes_nothing(family: str) -> None:
    model = _doubled(
        family, one="prefix_tuning[prefix_length=4, bottleneck_size=6, use_gating=true]", two=FLAT
    )
    model.active_adapters = Stack("one", "two")
    before, count = _hidden(model, family), len(adapter_parameters(model, "one"))
    model.eject_prefix_tuning("one")
    torch.testing.assert_close(_hidden(model, family), before, atol=1e-12, rtol=0)
    assert model.adapter_runtime.injection.configs["one"] == PrefixTuningFlatConfig(
        prefix_length=4, bottleneck_size=6, use_gating=True
    )
    assert len(adapter_parameters(model, "one")) < count
    with pytest.raises(AttachError, match="'one' has no reparametrised prefix"):
        model.eject_prefix_tuning("one")


def test_ejecting_leaves_a_unions_other_members_alone(tmp_path: Any) -> None:
    model = _doubled("bert", one=f"{SHAPED}|lora[r=2]|seq_bn")
    model.train_adapter("one")
    model.eval()
    before = _hidden(model, "bert")
    model.eject_prefix_tuning("one")
    torch.testing.assert_close(_hidden(model, "bert"), before, atol=1e-12, rtol=0)
    assert all(parameter.requires_grad for parameter in adapter_parameters(model, "one"))
    model.save_adapter(tmp_path / "one", "one")
    fresh = adapter_lib.init(MODELS["bert"].build().double())
    fresh.load_adapter(tmp_path / "one")
    fresh.active_adapters = "one"
    torch.testing.assert_close(_hidden(fresh, "bert"), before, atol=1e-12, rtol=0)


def test_places_follow_the_settings() -> None:
    def places(family: str, settings: str) -> set[tuple[int, str]]:
        model = adapter_lib.init(MODELS[family].build())
        model.add_adapter("one", f"prefix_tuning_flat[prefix_length=2{settings}]")
        return set(model.adapter_runtime.injection.parts("one"))

    own, cross = {(layer, "attn") for layer in range(4)}, {(2, "xattn"), (3, "xattn")}
    assert places("t5", "") == own | cross
    assert places("t5", ", cross_prefix=false") == own
    assert places("t5", ", encoder_prefix=false") == {(2, "attn"), (3, "attn")} | cross
    assert places("t5", ", leave_out=[0, 3]") == {(1, "attn"), (2, "attn"), (2, "xattn")}
    # An encoder that nobody attends to is not one of those that encoder_prefix means.
    assert places("bert", ", encoder_prefix=false") == {(0, "attn"), (1, "attn")}


def test_first_layers_are_shared_within_a_group() -> None:
    model = adapter_lib.init(MODELS["t5"].build())
    model.add_adapter("one", SHAPED)
    shared = _tensors(model, ".adapter:one#.")
    assert {key: tuple(tensor.shape) for key, tensor in shared.items()} == {
        f"{group}.{name}": shape
        for group in ("encoder", "decoder", "cross")
        for name, shape in (("embedding", (4, 32)), ("down.weight", (6, 32)), ("down.bias", (6,)))
    }


def test_mix_and_match_is_prefixes_and_parallel_adapters() -> None:
    assert parse_config("mam") == mam_config()
    prefix, parallel = mam_config().configs
    assert prefix == PrefixTuningConfig(bottleneck_size=800)
    assert parallel == parse_config("par_bn")
    model = _doubled("bert", one="mam")
    members = model.adapter_runtime.injection.parts("one")
    shared = _tensors(model, ".adapter:one#0.")
    pairs = {}
    for layer in (0, 1):
        own = dict(members[layer, "attn"].named_parameters())
        own = {key.rpartition("0.")[2] or key: tensor.detach() for key, tensor in own.items()}
        inner = torch.tanh(
            shared["encoder.embedding"] @ shared["encoder.down.weight"].T + shared["encoder.down.bias"]
        )
        both = inner @ own["up.weight"].T + own["up.bias"]
        pairs[_path("bert", layer, "attn")] = both[:, :32], both[:, 32:]

    def ffn(layer: int, u: Tensor, x: Tensor, norm: Any) -> Tensor:
        weights = {key.removeprefix("1."): t for key, t in members[layer, "ffn"].named_parameters()}
        return norm(u + 4.0 * dense.bottleneck(x, weights, torch.relu) + x)

    twin = dense_attention.with_prefixes(MODELS["bert"].build().double(), pairs, dense_attention.bert)
    model.active_adapters = "one"
    with torch.no_grad():
        expected = dense.bert(twin, _given("bert")["input_ids"], ffn=ffn)
    torch.testing.assert_close(_hidden(model, "bert"), expected, atol=1e-10, rtol=0)


def test_unipelt_gates_all_three() -> None:
    assert parse_config("unipelt") == unipelt_config()
    prefix, bottleneck, lora = unipelt_config().configs
    assert (prefix.size(), bottleneck.size(), lora.size()) == (10, 16, 8)
    assert all(member.use_gating for member in (prefix, bottleneck, lora))
    model = _doubled("bert", one="unipelt")
    model.active_adapters = "one"
    scores = model(**_given("bert"), output_adapter_gating_scores=True)["adapter_gating_scores"]["one"]
    assert set(scores) >= {f"layers.{layer}.{role}" for layer in (0, 1) for role in ("attn", "ffn")}
    assert all(bool(((gate > 0) & (gate < 1)).all()) for gate in scores.values())


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"prefix_length": 0}, "prefix_length must be a whole number of at least 1"),
        ({"bottleneck_size": 2.5}, "bottleneck_size must be a whole number"),
        ({"non_linearity": "cube"}, "non_linearity must be one of"),
        ({"dropout": 1}, "dropout must be a number from 0"),
        ({"flat": 1}, "flat must be true or false"),
        ({"leave_out": [0, 0]}, "different layer numbers"),
    ],
)
def test_bad_settings_are_refused(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        PrefixTuningConfig(**settings)


def test_names_and_hashes_do_not_depend_on_how_it_was_written() -> None:
    assert parse_config("prefix_tuning[flat=true]") == parse_config("prefix_tuning_flat")
    assert parse_config("prefix_tuning_flat").name() == "prefix_tuning_flat"
    config = parse_config(SHAPED)
    assert config.name() == "prefix_tuning"
    assert config_from_dict(config.method, config.values()) == config
