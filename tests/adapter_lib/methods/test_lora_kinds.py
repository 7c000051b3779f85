"""LoRA on convolutions and embeddings, per-place ranks, gates, and what is refused."""

import copy
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

import adapter_lib
from adapter_lib import AdapterSetup, LoRAConfig, Parallel, Stack
from adapter_lib.spec.composition import Average, BatchSplit, Split
from adapter_lib.spec.errors import CompositionError, ConfigError
from tests.adapter_lib.methods.weights import (
    Numbers,
    changed,
    check,
    check_fresh,
    doubled,
    hidden,
    numbers,
    tensors,
)
from tests.adapter_lib.tiny import build, prepared, shake

GRIDS = {
    1: nn.Conv1d(6, 10, 3, stride=2, padding=1, dilation=2),
    2: nn.Conv2d(6, 10, (3, 2), stride=(2, 1), padding=(1, 0)),
    3: nn.Conv3d(6, 10, 2, bias=False),
}
CONVOLVE: dict[int, Any] = {1: F.conv1d, 2: F.conv2d, 3: F.conv3d}
SIZES = {1: (12,), 2: (9, 8), 3: (5, 4, 6)}


def _beside(module: nn.Module, **adapters: str) -> Any:
    """A prepared model that has one more module, which only the test calls."""
    base = build("bert")
    base.beside = module
    model: Any = adapter_lib.init(base.double())
    for name, config in adapters.items():
        model.add_adapter(name, config)
        shake(model, name)
    return model


def _delta(own: dict[str, Tensor], scale: float) -> Tensor:
    """s · B A of a convolution, summed over the rank by hand."""
    a, b = own["lora_a"], own["lora_b"]
    return scale * sum(b[:, i].reshape(-1, *(1 for _ in a.shape[1:])) * a[i] for i in range(len(a)))


@pytest.mark.parametrize("dims", GRIDS)
def test_a_convolution_is_the_update_of_its_kernel(dims: int) -> None:
    conv: Any = copy.deepcopy(GRIDS[dims])
    model = _beside(
        conv, one="lora[r=3, alpha=6, targets=[beside]]", two="lora[r=2, alpha=2, targets=[beside]]"
    )
    x = torch.randn(4, 6, *SIZES[dims], dtype=torch.float64)
    one, two = (
        _delta(tensors(model, name)[-1, "module.beside"], s) for name, s in (("one", 2.0), ("two", 1.0))
    )

    def dense(rows: Tensor, *deltas: Tensor) -> Tensor:
        weight = conv.weight + sum(deltas)
        found: Tensor = CONVOLVE[dims](rows, weight, conv.bias, conv.stride, conv.padding, conv.dilation)
        return found

    with torch.no_grad():
        model.active_adapters = "one"
        check(model.beside(x), dense(x, one))
        expected = model.beside(x)
        model.active_adapters = Stack("one", "two")
        check(model.beside(x), dense(x, one, two))
        model.active_adapters = BatchSplit("one", "two", batch_sizes=[1, 3])
        check(model.beside(x), torch.cat([dense(x[:1], one), dense(x[1:], two)]))
        model.active_adapters = Average("one", "two", weights=[0.25, 0.75])
        check(model.beside(x), dense(x, 0.25 * one, 0.75 * two))
        model.merge_adapter("one")
        check(model.beside(x), expected)
        model.reset_adapter()
        check(model.beside(x), dense(x), within=0)


def test_a_convolution_has_no_tokens_to_split() -> None:
    model = _beside(nn.Conv1d(6, 10, 3), one="lora[targets=[beside], r=2]", two="lora[targets=[beside], r=2]")
    model.active_adapters = Split("one", "two", splits=[5, 5])
    with pytest.raises(CompositionError, match="a convolution has no dimension of tokens"):
        model.beside(torch.randn(2, 6, 12, dtype=torch.float64))


def test_groups_are_refused() -> None:
    with pytest.raises(ConfigError, match=r"module\.beside is a convolution in 2 groups"):
        _beside(nn.Conv1d(6, 10, 3, groups=2), one="lora[targets=[beside]]")


def test_gates_need_vectors() -> None:
    with pytest.raises(ConfigError, match="use_gating=false"):
        _beside(nn.Conv1d(6, 10, 3), one="lora[targets=[beside], use_gating=true]")


@pytest.mark.parametrize("family", ["bert", "gpt2", "llama"])
def test_an_embedding_is_the_update_of_its_matrix(family: str) -> None:
    target = {"bert": "word_embeddings", "gpt2": "wte", "llama": "embed_tokens"}[family]
    model = doubled(family, one=f"lora[r=3, alpha=6, targets=[{target}]]")
    (key, own), *others = tensors(model, "one").items()
    assert not others
    assert key[1].startswith("module.")
    assert (own["lora_a"].shape, own["lora_b"].shape) == ((3, 120), (32, 3))
    expected = build(family).double()
    with torch.no_grad():
        numbers(expected, family, -1, "encoder.tokens").weight.add_(2 * (own["lora_b"] @ own["lora_a"]).T)
    model.active_adapters = "one"
    before = hidden(model)
    check(before, hidden(expected))
    model.merge_adapter("one")
    check(hidden(model), before)


def test_a_fresh_embedding_changes_nothing_and_learns() -> None:
    check_fresh("bert", "lora[targets=[word_embeddings]]")
    model: Any = adapter_lib.init(build("bert"))
    model.add_adapter("one", "lora[targets=[word_embeddings]]")
    model.train_adapter("one")
    model(torch.tensor([[5, 6]])).last_hidden_state.square().sum().backward()
    part = next(iter(model.adapter_runtime.injection.parts("one").values()))
    assert bool(part.lora_a.grad.any())


def test_a_scaled_embedding_scales_the_update_too() -> None:
    class Scaled(nn.Embedding):
        embed_scale = 3.0

        def forward(self, ids: Tensor) -> Tensor:
            return super().forward(ids) * self.embed_scale

    model = _beside(Scaled(7, 5), one="lora[r=2, targets=[beside]]")
    ids = torch.tensor([[1, 4, 6]])
    model.active_adapters = "one"
    before = model.beside(ids).detach()
    model.merge_adapter("one")
    check(model.beside(ids).detach(), before)


PATTERNS = LoRAConfig(
    r=4,
    alpha=8,
    targets=("q", "k", "v"),
    rank_pattern={"k": 2, r"re:layers\.1\..*": 3, "layers.1.attn.v": 1},
    alpha_pattern={"k": 6},
)


@pytest.mark.parametrize("family", ["bert", "gpt2"])
def test_ranks_and_alphas_may_differ_from_place_to_place(family: str) -> None:
    model: Any = adapter_lib.init(build(family).double())
    model.add_adapter("one", PATTERNS)
    shake(model, "one")
    own = tensors(model, "one")
    ranks = {key: len(found["lora_a"]) for key, found in own.items()}
    first, second = ({r[-1]: n for (layer, r), n in ranks.items() if layer == i} for i in (0, 1))
    assert (first, second) == ({"q": 4, "k": 2, "v": 4}, {"q": 3, "k": 3, "v": 1})
    scales = {(0, "q"): 2, (0, "k"): 3, (0, "v"): 2, (1, "q"): 8 / 3, (1, "k"): 2, (1, "v"): 8}
    scaled = {
        (i, r): found | {"s": torch.tensor(scales[i, r[-1]], dtype=torch.float64)}
        for (i, r), found in own.items()
    }

    def rule(found: Numbers, t: Any) -> tuple[Tensor, Tensor | None]:
        return found.weight + t["s"] * t["lora_b"] @ t["lora_a"], found.bias

    model.active_adapters = "one"
    check(hidden(model), hidden(changed(family, rule, scaled)))


def test_patterns_survive_a_file_and_are_checked(tmp_path: Any) -> None:
    model: Any = adapter_lib.init(build("bert"))
    model.add_adapter("one", PATTERNS)
    shake(model, "one")
    model.active_adapters = "one"
    expected = hidden(model)
    model.save_adapter(tmp_path / "one", "one")
    fresh: Any = adapter_lib.init(build("bert"))
    fresh.load_adapter(tmp_path / "one")
    fresh.active_adapters = "one"
    assert torch.equal(hidden(fresh), expected)
    assert fresh.adapter_runtime.injection.configs["one"] == PATTERNS
    for bad, message in (
        ({"q": 2.5}, "whole numbers"),
        ({"q": 0}, "above 0"),
        ({"re:(": 2}, "no regular expression"),
        ({"": 2}, "as key"),
        ([1], "a mapping"),
    ):
        with pytest.raises(ConfigError, match=message):
            LoRAConfig(rank_pattern=bad)  # type: ignore[arg-type]


@pytest.mark.parametrize("family", ["bert", "gpt2"])
def test_a_gate_takes_the_place_of_the_scale(family: str) -> None:
    model = doubled(family, one="lora[r=3, alpha=30, use_gating=true]")
    model.active_adapters = "one"
    part = model.adapter_runtime.injection.parts("one")[0, "attn.v"]
    path = {"bert": "encoder.layer.0.attention.self.value", "gpt2": "h.0.attn.c_attn"}[family]
    x = torch.randn(2, 5, 32, dtype=torch.float64)
    with torch.no_grad():
        own = numbers(model, family, 0, "attn.v")
        gate = torch.sigmoid(x @ part.gate.weight.T + part.gate.bias).mean(1, keepdim=True)
        expected = x @ own.weight.T + own.bias + gate * (x @ part.lora_a.T @ part.lora_b.T)
        check(model.get_submodule(path)(x)[..., -32:], expected)


def test_ungrouped_kinds_stand_beside_grouped_ones_in_parallel() -> None:
    config = "lora[r=2, targets=[word_embeddings, q]]"
    model = prepared("bert", a=config, b=config, c="lora[r=3]")
    alone = []
    for tree in ("a", "b", "c"):
        with AdapterSetup(model, tree):
            alone.append(hidden(model))
    with AdapterSetup(model, Parallel("a", "b", "c")):
        check(hidden(model), torch.cat(alone), within=1e-5)
