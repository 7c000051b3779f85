"""Norm tuning against norms whose own weights and biases are changed by hand."""

from typing import Any

import pytest
import torch
from torch import Tensor, nn

import adapter_lib
from adapter_lib import AdapterSetup, Parallel, Stack
from adapter_lib.engine import Call
from adapter_lib.points import NormPoint
from adapter_lib.spec.configs import NormTuningConfig, Place
from adapter_lib.spec.errors import AttachError, ConfigError
from tests.adapter_lib.methods.weights import (
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
from tests.adapter_lib.tiny import shake
from tests.adapter_lib.zoo import MODELS, output

# Norms that centre and that do not, with and without a bias, with weights that stand for 1 + w, per head.
KINDS = ("gemma", "t5", "qwen3", "cohere", "deberta", "olmo2", "bart", "helium")


# LLaMA's norm computes in float32 whatever it is given.
WITHIN = {"bert": 1e-10, "gpt2": 1e-10, "llama": 1e-6}


def _rule(found: Numbers, own: Any) -> tuple[Tensor, Tensor | None]:
    bias = found.bias if found.bias is None or "bias" not in own else found.bias + own["bias"]
    return found.weight + own["weight"], bias


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("settings", ["", "[bias=none]"])
def test_norm_tuning_changes_weights_and_biases(family: str, settings: str) -> None:
    model = doubled(family, one=f"norm_tuning{settings}")
    model.active_adapters = "one"
    own = tensors(model, "one")
    assert ("bias" in next(iter(own.values()))) == (family != "llama" and not settings)
    check(hidden(model), hidden(changed(family, _rule, own)), within=WITHIN[family])


def test_all_norms_of_the_layers_and_the_last_one_are_meant() -> None:
    places = set(tensors(doubled("llama", one="norm_tuning"), "one"))
    assert places == {(i, f"norm.{n}") for i in (0, 1) for n in (0, 1)} | {(-1, "decoder.norm")}
    assert len(tensors(doubled("bert", one="ln_tuning[leave_out=[0]]"), "one")) == 2


@pytest.mark.parametrize("family", FAMILIES)
def test_stacks_add_up_and_parallel_equals_separate_runs(family: str) -> None:
    model = doubled(family, a="norm_tuning", b="norm_tuning[bias=none]")
    with AdapterSetup(model, Stack("a", "b")):
        both = hidden(model)
    expected = hidden(changed(family, _rule, tensors(model, "a"), tensors(model, "b")))
    check(both, expected, within=WITHIN[family])
    alone = []
    for name in ("a", "b"):
        with AdapterSetup(model, name):
            alone.append(hidden(model))
    with AdapterSetup(model, Parallel("a", "b")):
        check(hidden(model), torch.cat(alone))


@pytest.mark.parametrize("family", FAMILIES)
def test_a_fresh_one_changes_nothing_and_merging_equals_the_forward(family: str) -> None:
    check_fresh(family, "norm_tuning[bias=all]")
    check_merging(family, "norm_tuning")


@pytest.mark.parametrize("name", KINDS)
def test_norms_of_every_kind(name: str) -> None:
    tiny = MODELS[name]
    given = tiny.inputs()
    model = adapter_lib.init(tiny.build())
    base = output(model, **given)
    model.add_adapter("one", "norm_tuning")
    model.active_adapters = "one"
    assert torch.equal(output(model, **given), base)
    shake(model, "one")
    expected = output(model, **given)
    assert not torch.allclose(expected, base, atol=1e-3)
    model.merge_adapter("one")
    torch.testing.assert_close(output(model, **given), expected, atol=2e-5, rtol=1e-5)
    model.reset_adapter()
    assert torch.equal(output(model, **given), base)


def test_a_bias_that_a_norm_does_not_have_cannot_be_merged() -> None:
    model = doubled("llama", one="norm_tuning[bias=all]")
    base = hidden(model)
    with pytest.raises(AttachError, match="changes a bias, and LlamaRMSNorm has none"):
        model.merge_adapter("one")
    assert torch.equal(hidden(model), base)


def test_a_site_that_replaces_what_the_norm_gives_has_the_last_word() -> None:
    """`seq_bn[original_ln_after=false]` speaks after BERT's norm: tuning that norm does nothing there."""
    model = doubled("bert", bn="seq_bn[original_ln_after=false]", tuned="norm_tuning[leave_out=[0]]")
    own = tensors(model, "tuned")
    found = {}
    for order in (("bn", "tuned"), ("tuned", "bn")):
        with AdapterSetup(model, Stack(*order)):
            found[order] = hidden(model)
    check(found["bn", "tuned"], found["tuned", "bn"])
    with torch.no_grad():
        for parameter in model.adapter_runtime.injection.parts("tuned")[1, "norm.1"].parameters():
            parameter.mul_(3)
    with AdapterSetup(model, Stack("bn", "tuned")):
        check(hidden(model), found["bn", "tuned"])
    assert own[1, "norm.1"]["weight"].any()


class NoNorm(nn.Module):
    """Has the name and the weight of a norm."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(4))
        self.eps = 1e-5

    def forward(self, x: Tensor) -> Tensor:
        return torch.tanh(x) * self.weight


@pytest.mark.parametrize("module", [NoNorm(), nn.GroupNorm(1, 4)])
def test_what_is_no_norm_over_the_last_values_is_refused(module: nn.Module) -> None:
    with pytest.raises(AttachError, match=f"{type(module).__name__} is n"):
        NormPoint(Place("norm.0", 0, 4, 4, "norm"), module, Call())


@pytest.mark.parametrize(("field", "value"), [("bias", "some"), ("use_gating", 1)])
def test_fields_are_checked(field: str, value: Any) -> None:
    with pytest.raises(ConfigError, match=f"NormTuningConfig: {field} must be"):
        NormTuningConfig(**{field: value})


def test_a_place_that_is_no_norm_is_refused() -> None:
    with pytest.raises(ConfigError, match="norm_tuning trains norms"):
        NormTuningConfig().shapes(Place("attn.q", 0, 32, 32))
