"""LoRA against W + s · B A, recomputed densely in float64, on plain, transposed and fused linear maps."""

from typing import Any

import pytest
import torch

import adapter_lib
from adapter_lib import AdapterSetup, Parallel, Stack
from adapter_lib.spec.errors import AttachError, FamilyError
from tests.adapter_lib.methods.weights import ALL, Rule, changed, doubled, hidden, tensors
from tests.adapter_lib.tiny import FAMILIES, build, prepared


def _updated(scale: float) -> Rule:
    """W + s · B A."""
    return lambda found, own: (found.weight + scale * own["lora_b"] @ own["lora_a"], found.bias)


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize(
    ("settings", "scale"),
    [("r=4, alpha=12", 3.0), (f"r=4, alpha=6, {ALL}", 1.5), ("r=4, alpha=6, rslora=true, targets=[k]", 3.0)],
)
def test_lora_is_the_update_of_its_weights(family: str, settings: str, scale: float) -> None:
    model = doubled(family, one=f"lora[{settings}]")
    expected = changed(family, _updated(scale), tensors(model, "one"))
    model.active_adapters = "one"
    torch.testing.assert_close(hidden(model), hidden(expected), atol=1e-10, rtol=0)


@pytest.mark.parametrize("family", FAMILIES)
def test_a_stack_is_the_sum_of_the_updates(family: str) -> None:
    model = doubled(family, a=f"lora[r=2, alpha=4, {ALL}]", b="lora[r=3, alpha=3]")
    twice = {place: own | {"lora_b": 2.0 * own["lora_b"]} for place, own in tensors(model, "a").items()}
    expected = changed(family, _updated(1.0), twice, tensors(model, "b"))
    for order in (Stack("a", "b"), Stack("b", "a")):
        with AdapterSetup(model, order):
            torch.testing.assert_close(hidden(model), hidden(expected), atol=1e-10, rtol=0)


@pytest.mark.parametrize("family", FAMILIES)
def test_ranks_scales_and_absences_may_differ_in_one_batch(family: str) -> None:
    model = doubled(family, a="lora[r=2]", b=f"lora[r=5, alpha=20, {ALL}]", c="lora[r=3, targets=[o]]")
    alone = []
    for tree in ("a", "b", "c", Stack("a", "b")):
        with AdapterSetup(model, tree):
            alone.append(hidden(model))
    with AdapterSetup(model, Parallel("a", "b", "c", Stack("a", "b"))):
        torch.testing.assert_close(hidden(model), torch.cat(alone), atol=1e-10, rtol=0)


def test_gated_models_adapt_their_gate() -> None:
    model = doubled("llama", one="lora[r=4, alpha=8, targets=[gate, up]]")
    expected = changed("llama", _updated(2.0), tensors(model, "one"))
    model.active_adapters = "one"
    torch.testing.assert_close(hidden(model), hidden(expected), atol=1e-10, rtol=0)
    with pytest.raises(FamilyError, match=r"bert has no ffn\.gate for lora to act on; it has .*attn\.k"):
        doubled("bert", one="lora[targets=[gate]]")


@pytest.mark.parametrize("family", FAMILIES)
def test_merging_equals_the_forward_and_is_undone_exactly(family: str) -> None:
    model = prepared(family, one=f"lora[r=4, {ALL}]", other="lora[r=2]")
    original = {k: v.clone() for k, v in model.state_dict().items()}
    model.active_adapters = "one"
    expected = hidden(model)
    model.merge_adapter("one")
    assert model.active_adapters is None
    torch.testing.assert_close(hidden(model), expected, atol=1e-5, rtol=0)
    with pytest.raises(AttachError, match="'one' is merged"):
        model.merge_adapter("one")
    with pytest.raises(AttachError, match="'one' is merged"):
        model.active_adapters = "one"
    model.reset_adapter()
    assert all(torch.equal(value, original[key]) for key, value in model.state_dict().items())


def test_a_merged_adapter_leaves_with_its_deletion() -> None:
    model = prepared("gpt2", one="lora")
    model.merge_adapter("one")
    model.delete_adapter("one")
    assert torch.equal(hidden(model), hidden(build("gpt2")))


def test_a_bottleneck_cannot_be_merged() -> None:
    with pytest.raises(AttachError, match="no update of weights"):
        prepared("bert", one="seq_bn").merge_adapter("one")


def test_a_fresh_lora_changes_nothing() -> None:
    model: Any = adapter_lib.init(build("bert"))
    expected = hidden(model)
    report = model.add_adapter("one", "lora[r=4]")
    assert (report.places, report.parameters) == ({"attn.q": 2, "attn.v": 2}, 4 * (4 * 32 + 32 * 4))
    model.active_adapters = "one"
    assert torch.equal(hidden(model), expected)
    parts = model.adapter_runtime.injection.parts("one").values()
    assert all(part.lora_a.any() and part.lora_a.abs().max() <= 32**-0.5 for part in parts)


@pytest.mark.parametrize("rates", [(0.5, 0.5), (0.5, 0.0), (0.2, 0.6)])
def test_dropout_in_parallel_keeps_the_mean_and_each_adapters_rate(rates: tuple[float, float]) -> None:
    model = prepared("bert", a=f"lora[r=8, dropout={rates[0]}]", b=f"lora[r=8, dropout={rates[1]}]")
    part = model.adapter_runtime.injection.parts("a")[0, "attn.q"]
    point = model.adapter_runtime.injection.points.points[0, "attn.q"]
    linear = model.encoder.layer[0].attention.self.query
    x = torch.ones(4000, 32)
    model.active_adapters = Parallel("a", "b")
    expected = linear(x).detach()
    part.train()
    point.parts()["b"].train()
    found = linear(x).detach()
    # Each row draws its own mask; the mean over rows is the undropped output within a few standard errors.
    for rows, rate in zip((slice(0, 2000), slice(2000, 4000)), rates, strict=True):
        spread = found[rows].std(0)
        assert bool((spread > 0).all()) == (rate > 0)
        error = (found[rows].mean(0) - expected[rows].mean(0)).abs()
        assert bool((error <= 6 * spread / 2000**0.5 + 1e-5).all())


def test_half_precision_bases_take_float32_adapters() -> None:
    model = prepared("bert", a="lora[r=4]", b="lora[r=2]")
    model.active_adapters = Parallel("a", "b")
    expected = hidden(model)
    injection = model.adapter_runtime.injection
    model.to(torch.bfloat16)
    for name in ("a", "b"):
        for part in injection.parts(name).values():
            part.float()
    found = hidden(model)
    assert found.dtype == torch.bfloat16
    torch.testing.assert_close(found.float(), expected, atol=0.2, rtol=0.1)
    with AdapterSetup(model, "a"):
        assert hidden(model).dtype == torch.bfloat16
    prepared_32 = prepared("bert", a="lora[r=4]", b="lora[r=2]")
    prepared_32.active_adapters = Parallel("a", "b")
    with torch.autocast("cpu", torch.bfloat16):
        torch.testing.assert_close(hidden(prepared_32).float(), expected, atol=0.2, rtol=0.1)


def test_stacked_rates_that_differ_are_drawn_apart() -> None:
    model = prepared("bert", a="lora[r=8, dropout=0.5]", b="lora[r=8]", c="lora[r=2]")
    linear = model.encoder.layer[0].attention.self.query
    model.active_adapters = Parallel(Stack("a", "b"), "c")
    for name in ("a", "b", "c"):
        model.adapter_runtime.injection.parts(name)[0, "attn.q"].train()
    x = torch.ones(4000, 32)
    found = linear(x).detach()
    with AdapterSetup(model, Parallel(Stack("b"), "c")):
        undropped = linear(x).detach()
    # The spread in the first channel is that of the dropping adapter's update alone; the second has none.
    part = model.adapter_runtime.injection.parts("a")[0, "attn.q"]
    delta = (x[:1] @ part.lora_a.T @ part.lora_b.T).detach()
    error = (found[:2000] - undropped[:2000]).mean(0) - delta[0]
    assert bool((error.abs() <= 6 * found[:2000].std(0) / 2000**0.5).all())
    torch.testing.assert_close(found[2000:], undropped[2000:], atol=1e-5, rtol=0)
