"""One adapter of several, on models: against weights changed by hand in float64, and by its properties."""

import copy
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

import adapter_lib
from adapter_lib import AdapterSetup, LoRAConfig, Stack
from adapter_lib.methods import method_of
from adapter_lib.spec.errors import AttachError, ConfigError, UnknownNameError
from tests.adapter_lib.merging import papers
from tests.adapter_lib.methods.weights import FAMILIES, check, doubled, hidden, numbers
from tests.adapter_lib.tiny import METHODS, build, output, prepared, shake

MIXED = {"a": "lora[r=3, targets=[q, v, down]]", "b": "loha[r=2, targets=[v, up]]", "c": "vera[r=16]"}
WEIGHTS = [0.7, -0.4, 1.5]
each_family = pytest.mark.parametrize("family", FAMILIES)


def _same(model: Any, found: Tensor, expected: Tensor, within: float = 1e-10) -> None:
    """Equal up to rounding: LLaMA's norms compute in float32 whatever they get."""
    check(found, expected, within=2e-6 if model.config.model_type == "llama" else within)


def _acting(model: Any, composition: Any) -> Tensor:
    with AdapterSetup(model, composition):
        return hidden(model)


def _deltas(model: Any, family: str, name: str) -> dict[tuple[int, str], Tensor]:
    """W' - W by place, as merging changes the weights."""
    places = list(model.adapter_runtime.injection.parts(name))
    before = {key: numbers(model, family, *key).weight.clone() for key in places}
    model.merge_adapter(name)
    after = {key: numbers(model, family, *key).weight.clone() for key in places}
    model.reset_adapter()
    return {key: after[key] - before[key] for key in places}


def _by_hand(family: str, model: Any, combine: Callable[[list[np.ndarray], list[float]], Any]) -> Tensor:
    """The states of the base with every weight plus what `combine` makes of the adapters' deltas there."""
    base = build(family).double()
    found = {name: _deltas(model, family, name) for name in MIXED}
    for key in {key for deltas in found.values() for key in deltas}:
        there = [(found[n][key].numpy(), w) for n, w in zip(MIXED, WEIGHTS, strict=True) if key in found[n]]
        deltas, weights = [d for d, _ in there], [w for _, w in there]
        numbers(base, family, *key).weight.add_(torch.from_numpy(np.asarray(combine(deltas, weights))))
    return hidden(base)


@each_family
def test_mixed_methods_add_up_to_one_lora(family: str) -> None:
    model = doubled(family, **MIXED)
    report = model.combine_adapters("sum", list(MIXED), WEIGHTS)
    assert report.error < 1e-14
    assert not report.left_empty
    config = model.adapter_runtime.injection.configs["sum"]
    assert isinstance(config, LoRAConfig)
    _same(model, _acting(model, "sum"), _by_hand(family, model, papers.task_arithmetic))
    model.merge_adapter("sum")
    _same(model, hidden(model), _by_hand(family, doubled(family, **MIXED), papers.task_arithmetic))


@each_family
def test_ties_and_pruning_are_the_papers_on_every_map(family: str) -> None:
    model = doubled(family, **MIXED)

    def ties(deltas: list[np.ndarray], weights: list[float]) -> Any:
        return papers.ties(
            [w * papers.trimmed(d, 0.4) for d, w in zip(deltas, weights, strict=True)], 1.0, 1.0
        )

    def pruned(deltas: list[np.ndarray], weights: list[float]) -> Any:
        return papers.task_arithmetic([papers.trimmed(d, 0.4) for d in deltas], weights)

    for strategy, expected in {"ties": ties, "magnitude_prune": pruned}.items():
        model.combine_adapters("one", list(MIXED), WEIGHTS, strategy=strategy, density=0.4, overwrite=True)
        _same(model, _acting(model, "one"), _by_hand(family, model, expected))


def test_trimming_as_a_whole_takes_the_largest_entries_of_the_adapter() -> None:
    model = doubled("bert", a="lora[r=3, targets=[q, up]]")
    with torch.no_grad():
        for part in model.adapter_runtime.injection.members("a"):
            part.lora_b.mul_(10 if part.place.role == "ffn.up" else 1)
    deltas = _deltas(model, "bert", "a")
    whole = papers.trimmed(np.concatenate([delta.numpy().ravel() for delta in deltas.values()]), 0.2)
    for strategy in ("ties", "magnitude_prune"):
        model.combine_adapters("b", ["a"], strategy=strategy, density=0.2, trim="whole", overwrite=True)
        found = _deltas(model, "bert", "b")
        flat = np.concatenate([found[key].numpy().ravel() for key in deltas])
        np.testing.assert_allclose(flat, whole, atol=1e-12)
        assert np.count_nonzero(found[0, "attn.q"].numpy().round(9)) != int(0.2 * 32 * 32)


@each_family
def test_svd_is_the_best_of_its_rank_and_says_what_it_lost(family: str) -> None:
    model = doubled(family, **MIXED)
    report = model.combine_adapters("cut", list(MIXED), WEIGHTS, strategy="svd", rank=2)
    assert set(report.ranks.values()) == {2}

    def best(deltas: list[np.ndarray], weights: list[float]) -> Any:
        return papers.best_of_rank(papers.task_arithmetic(deltas, weights), 2)

    _same(model, _acting(model, "cut"), _by_hand(family, model, best), 1e-9)
    model.combine_adapters("sum", list(MIXED), WEIGHTS)
    wanted, found = _deltas(model, family, "sum"), _deltas(model, family, "cut")
    lost = sum(float((wanted[key] - found[key]).square().sum()) for key in wanted) ** 0.5
    total = sum(float(delta.square().sum()) for delta in wanted.values()) ** 0.5
    assert report.error == pytest.approx(lost / total, rel=1e-9)
    assert 0.01 < report.error < 0.9


def test_energy_gives_every_place_the_rank_that_it_needs() -> None:
    model = doubled("bert", a="lora[r=6, targets=[q, up]]")
    with torch.no_grad():
        parts = model.adapter_runtime.injection.parts("a")
        parts[0, "attn.q"].lora_b[:, 1:] = 0
    report = model.combine_adapters("cut", ["a"], strategy="svd", energy=0.8)
    assert report.ranks["layers.0.attn.q"] == 1
    assert max(report.ranks.values()) > 1
    for (_, role), delta in _deltas(model, "bert", "a").items():
        assert role in ("attn.q", "ffn.up")
        shares = torch.linalg.svdvals(delta).square().cumsum(0) / delta.square().sum()
        assert int((shares < 0.8).sum()) + 1 in report.ranks.values()
    assert report.error <= (1 - 0.8) ** 0.5


def test_concatenation_has_the_sum_of_the_ranks() -> None:
    model = doubled(
        "bert", a="lora[r=3, alpha=6]", b="adalora[init_r=2, target_r=1]", c="lora[r=2, targets=[v]]"
    )
    report = model.combine_adapters("cat", ["a", "b", "c"], WEIGHTS, strategy="cat")
    assert report.ranks == {
        f"layers.{i}.attn.{letter}": r for i in (0, 1) for letter, r in {"q": 5, "v": 7}.items()
    }
    model.combine_adapters("sum", ["a", "b", "c"], WEIGHTS)
    _same(model, _acting(model, "cat"), _acting(model, "sum"))
    with pytest.raises(AttachError, match="has none: use strategy='linear'"):
        doubled("bert", **MIXED).combine_adapters("x", list(MIXED), strategy="cat")


@pytest.mark.parametrize(
    "config", [*MIXED.values(), "dora[r=4]", "hra[r=4]", "lora[r=4, init_weights=pissa]"]
)
@pytest.mark.parametrize("strategy", ["linear", "ties", "dare_linear", "dare_ties", "magnitude_prune"])
def test_one_adapter_with_weight_one_is_itself(config: str, strategy: str) -> None:
    model = prepared("llama", one=config)
    density = None if strategy == "linear" else 1.0
    report = model.combine_adapters("again", ["one"], strategy=strategy, density=density)
    assert report.error < 2e-7
    model.active_adapters = "one"
    expected = output(model)
    model.active_adapters = "again"
    scale = float(expected.abs().max())
    torch.testing.assert_close(output(model) / scale, expected / scale, atol=1e-6, rtol=0)


def test_an_adapter_less_itself_is_the_base() -> None:
    model = doubled("gpt2", one=MIXED["a"], other=MIXED["b"])
    copied = model.adapter_runtime.injection.parameters("one")
    model.add_adapter("twin", MIXED["a"])
    with torch.no_grad():
        for mine, value in zip(model.adapter_runtime.injection.parameters("twin"), copied, strict=True):
            mine.copy_(value)
    base = hidden(model)
    report = model.combine_adapters("nothing", ["one", "twin"], [1, -1])
    assert set(report.ranks.values()) == {1}
    _same(model, _acting(model, "nothing"), base)
    model.combine_adapters("negated", ["other"], [-1])
    _same(model, _acting(model, Stack("other", "negated")), base)


def test_dare_follows_its_seed() -> None:
    model = doubled("bert", **MIXED)
    for name, seed in {"x": 0, "y": 0, "z": 1}.items():
        model.combine_adapters(name, list(MIXED), strategy="dare_linear", density=0.3, seed=seed)
    assert torch.equal(_acting(model, "x"), _acting(model, "y"))
    assert not torch.allclose(_acting(model, "x"), _acting(model, "z"), atol=1e-3)
    kept = _deltas(model, "bert", "x")[0, "ffn.down"]
    whole = _deltas(model, "bert", "a")[0, "ffn.down"]
    is_kept = kept.abs() > 1e-9
    assert 0.2 < float(is_kept.double().mean()) < 0.4
    check(kept[is_kept], whole[is_kept] / 0.3)


@each_family
@pytest.mark.parametrize(
    "config", ["loha[r=3]", "oft[block_size=8]", "dora[r=4]", "fourierft[n_frequency=60]"]
)
def test_to_lora_with_all_ranks_is_the_adapter(family: str, config: str) -> None:
    model = doubled(family, one=config)
    report = model.to_lora("one", "two", energy=None)
    assert report.error < 1e-13
    _same(model, _acting(model, "two"), _acting(model, "one"))


def test_to_lora_keeps_an_energy_share_or_a_rank() -> None:
    model = doubled("llama", one="hira[r=3]")
    shared = model.to_lora("one", "shared")
    assert 0 < shared.error <= 0.1
    assert max(shared.ranks.values()) < 32
    capped = model.to_lora("one", "capped", rank=4)
    assert max(capped.ranks.values()) == 4
    assert capped.error > shared.error
    found, wanted = _deltas(model, "llama", "capped"), _deltas(model, "llama", "one")
    for key, delta in wanted.items():
        expected = papers.best_of_rank(delta.numpy(), 4)
        torch.testing.assert_close(found[key], torch.from_numpy(expected), atol=1e-9, rtol=0)


def test_scaling_becomes_a_lora_where_no_bias_is_in_the_way() -> None:
    model = doubled("llama", one="ia3")
    model.to_lora("one", "two", energy=None)
    _same(model, _acting(model, "two"), _acting(model, "one"))
    model = doubled("bert", one="ia3")
    with pytest.raises(AttachError, match=r"'one' change the bias at layers.0.attn.k, which a LoRA cannot"):
        model.to_lora("one", "two", energy=None)
    report = model.to_lora("one", "two", energy=None, drop_biases=True)
    assert report.dropped_biases == tuple(f"layers.{i}.attn.{letter}" for i in (0, 1) for letter in "kv")
    for layer in model.encoder.layer:
        layer.attention.self.key.bias.data.zero_()
        layer.attention.self.value.bias.data.zero_()
    _same(model, _acting(model, "two"), _acting(model, "one"))


def test_tokens_become_a_lora_of_the_embedding() -> None:
    model = doubled("llama", one="trainable_tokens[token_indices=[4, 22, 36, 62, 85]]")
    report = model.to_lora("one", "two", energy=None)
    assert list(report.ranks.values()) == [5]
    _same(model, _acting(model, "two"), _acting(model, "one"))


def test_a_plain_module_is_told_by_paths() -> None:
    torch.manual_seed(3)

    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.net = nn.Sequential(nn.Conv1d(3, 5, 2), nn.ReLU(), nn.Linear(6, 4), nn.Linear(4, 4))

        def forward(self, x: Tensor) -> Tensor:
            found: Tensor = self.net(x)
            return found

    model: Any = adapter_lib.init(Net().double())
    model.add_adapter("a", "lora[r=2, targets=['net.0', 'net.2']]")
    model.add_adapter("b", "hra[r=2, targets=['net.3']]")
    shake(model, "a")
    shake(model, "b")
    x = torch.randn(2, 3, 7, dtype=torch.float64)
    model.combine_adapters("sum", ["a", "b"])
    with AdapterSetup(model, Stack("a", "b")), torch.no_grad():
        expected = model(x)
    with AdapterSetup(model, "sum"), torch.no_grad():
        check(model(x), expected)
    assert set(model.adapter_runtime.injection.parts("sum")) == {(-1, f"module.net.{i}") for i in (0, 2, 3)}


@pytest.mark.parametrize(
    "config", ["seq_bn", "prefix_tuning", "loreft", "norm_tuning", "lora[use_gating=true]"]
)
def test_what_is_no_change_of_a_maps_weight_is_refused_and_nothing_changes(config: str) -> None:
    model = prepared("bert", one=config, lora="lora")
    for attempt in (
        lambda: model.to_lora("one", "two"),
        lambda: model.combine_adapters("two", ["lora", "one"]),
    ):
        with pytest.raises(AttachError):
            attempt()
    assert list(model.adapter_runtime.injection.configs) == ["one", "lora"]


def test_names_are_checked() -> None:
    model = prepared("bert", a="lora", b="lora")
    with pytest.raises(UnknownNameError, match="no adapter 'c'"):
        model.combine_adapters("d", ["a", "c"])
    with pytest.raises(AttachError, match="There is an adapter 'b' already"):
        model.to_lora("a", "b")
    with pytest.raises(ConfigError, match="each once"):
        model.average_adapter("d", ["a", "a"])
    with pytest.raises(ConfigError, match="Name the adapters in a list"):
        model.combine_adapters("d", "a")


def test_a_source_may_be_replaced() -> None:
    model = prepared("bert", a="lora", b="lora[r=4]")
    model.combine_adapters("c", ["a", "b"])
    model.active_adapters = "c"
    expected = output(model)
    model.combine_adapters("a", ["a", "b"], overwrite=True)
    model.active_adapters = "a"
    assert torch.equal(output(model), expected)


def test_merged_weights_hide_what_they_were() -> None:
    model = prepared("bert", a="lora", b="lora")
    model.merge_adapter("a")
    for attempt in (
        lambda: model.combine_adapters("c", ["b"]),
        lambda: model.to_lora("b", "c"),
        lambda: model.average_adapter("c", ["a", "b"]),
    ):
        with pytest.raises(AttachError, match=r"is merged into the weights, .*: reset_adapter\(\) first"):
            attempt()


def test_a_combined_adapter_is_saved_loaded_and_trained_as_any_lora(tmp_path: Any) -> None:
    model = prepared("bert", **MIXED)
    keys = list(build("bert").state_dict())
    model.combine_adapters("sum", list(MIXED), WEIGHTS)
    model.save_adapter(tmp_path / "sum", "sum")
    model.save_pretrained(tmp_path / "model")
    loaded: Any = adapter_lib.init(build("bert"))
    loaded.load_adapter(tmp_path / "sum")
    loaded.active_adapters = model.active_adapters = "sum"
    torch.testing.assert_close(output(loaded), output(model), atol=1e-6, rtol=0)
    loaded.train_adapter("sum")
    loaded(input_ids=torch.arange(6).view(2, 3)).last_hidden_state[..., 0].sum().backward()
    assert all(p.grad is not None for p in loaded.adapter_runtime.injection.trained("sum"))
    assert list(adapter_lib.detach(model).state_dict()) == keys


def test_the_error_counts_what_half_precision_loses() -> None:
    model: Any = adapter_lib.init(build("llama").bfloat16())
    model.add_adapter("a", "lora[r=4]")
    shake(model, "a")
    report = model.combine_adapters("b", ["a"], [0.3])
    assert 1e-4 < report.error < 4e-3
    part = model.adapter_runtime.injection.parts("b")[0, "attn.q"]
    assert part.lora_a.dtype == torch.bfloat16


@pytest.mark.parametrize(
    "config", [each for each in METHODS if not each.startswith(("hra", "lora[r=4, use_g"))]
)
def test_the_average_of_equal_adapters_is_that_adapter(config: str) -> None:
    model = prepared("bert", one=config)
    model.add_adapter("twin", config)
    injection = model.adapter_runtime.injection
    with torch.no_grad():
        for mine, value in zip(injection.parameters("twin"), injection.parameters("one"), strict=True):
            mine.copy_(value)
    report = model.average_adapter("mean", ["one", "twin"], [3, 1])
    assert all(lora.error < 1e-6 for lora in report.loras)
    model.active_adapters = "one"
    expected = output(model)
    model.active_adapters = "mean"
    torch.testing.assert_close(output(model), expected, atol=1e-5, rtol=0)
    is_product = any(method_of(member).is_product for member in injection.configs["one"].members())
    assert bool(report.loras) == is_product
    if not is_product:
        assert injection.configs["mean"] == injection.configs["one"]


@each_family
def test_the_average_of_loras_is_the_mean_of_their_updates(family: str) -> None:
    model = doubled(family, a="lora[r=3, alpha=9]", b="lora[r=3, alpha=9]")
    model.average_adapter("mean", ["a", "b"], {"a": 1, "b": 3})
    a, b, found = (_deltas(model, family, name) for name in ("a", "b", "mean"))
    for key, delta in found.items():
        check(delta, 0.25 * a[key] + 0.75 * b[key])
    report = model.average_adapter("cut", ["a", "b"], [1, 3], strategy="svd", rank=3)
    assert set(report.loras[0].ranks.values()) == {3}
    model.average_adapter("sum", ["a", "b"], normalise=False)
    check(_deltas(model, family, "sum")[0, "attn.q"], a[0, "attn.q"] + b[0, "attn.q"])
    model.average_adapter("first", ["a", "b"], {"a": 1, "b": 0})
    check(_deltas(model, family, "first")[0, "attn.q"], a[0, "attn.q"])


def test_the_average_of_parameters_is_what_adapters_does() -> None:
    model = doubled("bert", a="lora[r=3]", b="lora[r=3]", x="seq_bn", y="seq_bn")
    model.average_adapter("mean", ["a", "b"], [1, 3], strategy="parameters")
    injection = model.adapter_runtime.injection
    assert injection.configs["mean"] == injection.configs["a"]
    model.average_adapter("z", ["x", "y"], {"x": 1, "y": 3})
    for names in (("a", "b", "mean"), ("x", "y", "z")):
        for a, b, found in zip(*(injection.parameters(name) for name in names), strict=True):
            check(found.detach(), (0.25 * a + 0.75 * b).detach())


def test_turning_methods_stay_rotations() -> None:
    model = doubled("bert", a="oft[block_size=8]", b="oft[block_size=8]")
    model.average_adapter("mean", ["a", "b"])
    weight = numbers(model, "bert", 0, "attn.q").weight
    before = weight @ weight.T
    model.merge_adapter("mean")
    weight = numbers(model, "bert", 0, "attn.q").weight
    check(weight @ weight.T, before)


def test_a_union_is_averaged_member_by_member() -> None:
    config = "lora[r=2]|seq_bn|lora[r=3, targets=[q]]"
    model = doubled("bert", a=config, b=config)
    report = model.average_adapter("mean", ["a", "b"])
    injection = model.adapter_runtime.injection
    found = injection.configs["mean"].members()
    assert [member.method for member in found] == ["lora", "bottleneck", "lora"]
    assert len(report.loras) == 2
    parts = [injection.parts(name)[0, "ffn"].named_members()["1"] for name in ("a", "b", "mean")]
    for a, b, mean in zip(*(part.parameters() for part in parts), strict=True):
        check(mean.detach(), (a + b).detach() / 2)
    queries = [injection.parts(name)[0, "attn.q"].members() for name in ("a", "b", "mean")]
    for a, b, mean in zip(*queries, strict=True):
        wanted = (a.weight_delta().weight + b.weight_delta().weight).detach() / 2
        check(mean.weight_delta().weight.detach(), wanted)


@pytest.mark.parametrize(
    ("config", "settings", "message"),
    [
        ("hra[r=4]", {}, "The parameters of hra cannot be averaged: u and -u are one reflection"),
        ("lora[use_gating=true]", {}, "has a gate"),
        ("seq_bn", {"strategy": "svd", "rank": 2}, "svd is for updates that are products"),
        ("seq_bn", {"strategy": "ties"}, "An average is linear, svd, parameters, not 'ties'"),
        ("lora", {"strategy": "parameters", "rank": 2}, "takes no rank and no energy"),
        ("lora", {"weights": [1, -1]}, "add up to zero: set normalise=False"),
    ],
)
def test_averages_that_mean_nothing_are_refused(config: str, settings: dict[str, Any], message: str) -> None:
    model = prepared("bert", a=config, b=config)
    with pytest.raises((AttachError, ConfigError), match=message):
        model.average_adapter("mean", ["a", "b"], **settings)
    assert "mean" not in model.adapter_runtime.injection.configs


def test_gates_can_be_averaged_as_parameters() -> None:
    model = doubled("bert", a="lora[use_gating=true]", b="lora[use_gating=true]")
    model.average_adapter("mean", ["a", "b"], strategy="parameters")
    parts = [model.adapter_runtime.injection.parts(name)[0, "attn.q"] for name in ("a", "b", "mean")]
    check(parts[2].gate.weight.detach(), (parts[0].gate.weight + parts[1].gate.weight).detach() / 2)


def test_an_active_adapter_that_is_replaced_is_switched_off() -> None:
    model = prepared("bert", a="lora", b="lora")
    twin = copy.deepcopy(model)
    model.active_adapters = "a"
    model.combine_adapters("a", ["a", "b"], overwrite=True)
    assert model.active_adapters is None
    assert torch.equal(output(model), output(twin))
