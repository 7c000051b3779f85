"""Where LoRA starts: values, what a fresh adapter is, PiSSA and OLoRA against their papers' residual base."""

from typing import Any

import pytest
import torch
from torch import Tensor

import adapter_lib
from adapter_lib import AdapterSetup, Parallel, Stack
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
    numbers,
    tensors,
)
from tests.adapter_lib.tiny import WIDTH, build

FAMILIES = ("bert", "gpt2", "llama")
PRINCIPAL = ("pissa", "olora")


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("start", ["gaussian", "eva", "loftq"])
def test_a_fresh_adapter_is_the_base(family: str, start: str) -> None:
    check_fresh(family, f"lora[r=4, init_weights={start}, {ALL}]")


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("start", ["orthogonal", *PRINCIPAL])
def test_a_fresh_adapter_is_the_base_up_to_rounding(family: str, start: str) -> None:
    check_fresh(family, f"lora[r=4, alpha=20, init_weights={start}, {ALL}]", within=2e-5)


def _fresh(start: str, settings: str = "r=8", family: str = "bert") -> dict[Any, dict[str, Tensor]]:
    torch.manual_seed(2)
    model: Any = adapter_lib.init(build(family).double())
    model.add_adapter("one", f"lora[{settings}, init_weights={start}, targets=[q, up]]")
    return tensors(model, "one")


def test_random_starts_have_their_spread() -> None:
    kaiming, gaussian, bert = (_fresh(start) for start in ("lora", "gaussian", "bert"))
    for key in kaiming:
        assert kaiming[key]["lora_a"].abs().max() <= WIDTH**-0.5
        assert kaiming[key]["lora_a"].std().item() == pytest.approx((WIDTH * 3) ** -0.5, rel=0.15)
        assert gaussian[key]["lora_a"].std().item() == pytest.approx(1 / 8, rel=0.2)
        assert not kaiming[key]["lora_b"].any()
        assert not gaussian[key]["lora_b"].any()
        for name in ("lora_a", "lora_b"):
            assert bert[key][name].std().item() == pytest.approx(0.02, rel=0.2)


def test_the_orthogonal_start_moves_both_matrices_at_once() -> None:
    for own in _fresh("orthogonal").values():
        check(own["lora_b"] @ own["lora_a"], torch.zeros(len(own["lora_b"]), WIDTH, dtype=torch.float64))
        assert own["lora_a"].abs().mean() > 0.01
        assert own["lora_b"].abs().mean() > 0.01
    with pytest.raises(ConfigError, match="must be even, not 3"):
        _fresh("orthogonal", "r=3")


def test_more_components_than_there_are_cannot_start() -> None:
    with pytest.raises(ConfigError, match=r"at most 32 at layers\.0\.attn\.q"):
        _fresh("pissa", "r=33")


def _principal(weight: Tensor, start: str, rank: int, scale: float) -> Tensor:
    """What the papers take out of W: U_r S_r V_r, or s · Q_r R_r."""
    if start == "olora":
        q, r = torch.linalg.qr(weight)
        return scale * q[:, :rank] @ r[:rank]
    u, s, v = torch.linalg.svd(weight)
    return u[:, :rank] * s[:rank] @ v[:rank]


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("start", PRINCIPAL)
def test_it_is_the_papers_residual_base_with_a_plain_lora(family: str, start: str) -> None:
    model: Any = adapter_lib.init(build(family).double())
    model.add_adapter("one", f"lora[r=4, alpha=12, init_weights={start}, {ALL}]")
    base = build(family).double()
    for part in model.adapter_runtime.injection.parts("one").values():
        # The start itself is what the paper takes out; training then moves A and B away from it.
        weight = numbers(base, family, part.place.layer, part.place.role).weight
        check(3 * (part.lora_b @ part.lora_a).detach(), _principal(weight, start, 4, 3.0))
        with torch.no_grad():
            part.lora_a.add_(torch.randn_like(part.lora_a) * 0.2)
            part.lora_b.add_(torch.randn_like(part.lora_b) * 0.2)

    def residual_and_update(found: Numbers, own: Any) -> tuple[Tensor, Tensor | None]:
        rest = found.weight - _principal(found.weight, start, 4, 3.0)
        return rest + 3 * own["lora_b"] @ own["lora_a"], found.bias

    model.active_adapters = "one"
    check(hidden(model), hidden(changed(family, residual_and_update, tensors(model, "one"))))


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("start", PRINCIPAL)
def test_merging_equals_the_forward_and_is_undone_exactly(family: str, start: str) -> None:
    check_merging(family, f"lora[r=4, init_weights={start}, {ALL}]")


def test_starts_that_are_taken_off_stand_beside_others_in_one_batch() -> None:
    model = doubled(
        "gpt2", a="lora[r=3, init_weights=pissa]", b="lora[r=5]", c="lora[r=2, init_weights=olora]"
    )
    trees = ["a", Stack("b", "c"), "c"]
    alone = []
    for tree in trees:
        with AdapterSetup(model, tree):
            alone.append(hidden(model))
    with AdapterSetup(model, Parallel(*trees)):
        assert type(model.adapter_runtime.injection.points.points[0, "attn.q"].plan).__name__ == "Grouped"
        check(hidden(model), torch.cat(alone))


def test_dropout_leaves_what_is_taken_off_alone() -> None:
    """With B at zero nothing is left to drop: the output is that of the residual base, in training too."""
    model = doubled("bert", one="lora[r=4, init_weights=pissa, dropout=0.5, targets=[q]]")
    part = model.adapter_runtime.injection.parts("one")[0, "attn.q"]
    with torch.no_grad():
        part.lora_b.zero_()
    model.active_adapters = "one"
    part.train()
    x = torch.randn(2, 5, WIDTH, dtype=torch.float64)
    linear = model.encoder.layer[0].attention.self.query
    rest = linear.weight - 2 * part.start_b @ part.start_a
    check(linear(x).detach(), (x @ rest.T + linear.bias).detach())


def test_the_start_is_kept_but_never_trained() -> None:
    model = doubled("bert", one="lora[r=4, init_weights=pissa]")
    model.train_adapter("one")
    model(torch.tensor([[5, 6, 7]])).last_hidden_state.square().sum().backward()
    for name, parameter in model.named_parameters():
        is_trained = ".lora_" in name
        assert (parameter.requires_grad, parameter.grad is not None) == (is_trained, is_trained), name
