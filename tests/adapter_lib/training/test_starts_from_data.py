"""EVA against a decomposition of the activations, LoftQ against one of what quantising took."""

from typing import Any

import pytest
import torch
from torch import Tensor

import adapter_lib
from adapter_lib.spec.errors import AttachError, ConfigError, LoadError
from adapter_lib.training import eva_start, loftq_start
from adapter_lib.training.eva import Sketch
from tests.adapter_lib.methods.weights import ALL, check, hidden, numbers, tensors
from tests.adapter_lib.tiny import VOCABULARY, build, inputs, shake

FAMILIES = ("bert", "gpt2", "llama")
PATHS = {
    "bert": ["encoder.layer.{}.attention.self.query", "encoder.layer.{}.output.dense"],
    "gpt2": ["h.{}.attn.c_attn", "h.{}.mlp.c_proj"],
    "llama": ["layers.{}.self_attn.q_proj", "layers.{}.mlp.down_proj"],
}


def _batches() -> list[dict[str, Tensor]]:
    torch.manual_seed(4)
    ids = torch.randint(2, VOCABULARY, (3, 9))
    return [inputs(), {"input_ids": ids, "attention_mask": torch.ones_like(ids)}]


def _seen(family: str) -> dict[tuple[int, str], Tensor]:
    """The rows that q and down see in the batches, without padding, recorded on a plain model."""
    base, rows = build(family).double(), {}
    masks = [batch["attention_mask"].bool() for batch in _batches()]
    for layer in (0, 1):
        for role, path in zip(("attn.q", "ffn.down"), PATHS[family], strict=True):
            found: list[Tensor] = []
            module = base.get_submodule(path.format(layer))
            handle = module.register_forward_pre_hook(lambda m, args, found=found: found.append(args[0]))
            with torch.no_grad():
                for batch in _batches():
                    base(**batch)
            handle.remove()
            rows[layer, role] = torch.cat([x[mask] for x, mask in zip(found, masks, strict=True)])
    return rows


def _eva(family: str, settings: str = "r=4, alpha=8") -> Any:
    model: Any = adapter_lib.init(build(family).double())
    model.add_adapter("one", f"lora[{settings}, init_weights=eva, targets=[q, down]]")
    return model


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("rho", [1.0, 2.0])
def test_eva_takes_the_directions_that_explain_most(family: str, rho: float) -> None:
    model = _eva(family)
    ranks = eva_start(model, "one", _batches(), rho=rho)
    expected: dict[str, int] = dict.fromkeys(ranks, 1)
    shares = []
    for (layer, role), rows in _seen(family).items():
        _, values, vectors = torch.linalg.svd(rows, full_matrices=False)
        own, key = tensors(model, "one")[layer, role], f"layers.{layer}.{role}"
        rank = ranks[key]
        assert own["lora_a"].shape[0] == rank
        assert not own["lora_b"].any()
        # Directions are told up to their sign.
        check((own["lora_a"] @ vectors[:rank].T).abs(), torch.eye(rank, dtype=torch.float64), within=1e-6)
        shares += [(v.item() ** 2 / rows.square().sum().item(), key) for v in values[1 : int(4 * rho)]]
    for _, key in sorted(shares, reverse=True)[: 4 * 4 - 4]:
        expected[key] += 1
    assert ranks == expected
    assert sum(ranks.values()) == 16
    assert max(ranks.values()) <= 4 * rho
    assert (len(set(ranks.values())) == 1) == (rho == 1.0)


def test_eva_keeps_the_scale_and_the_base_and_goes_to_a_file(tmp_path: Any) -> None:
    model = _eva("bert")
    model.active_adapters = "one"
    base = hidden(model)
    ranks = eva_start(model, "one", _batches())
    assert model.active_adapters.names() == ("one",)
    assert not model.training
    check(hidden(model), base, within=0)
    config = model.adapter_runtime.injection.configs["one"]
    for part in model.adapter_runtime.injection.members("one"):
        assert config.scale_at(part.place) == pytest.approx(2.0)
        assert config.rank_at(part.place) == ranks[part.place.key]
    shake(model, "one")
    model.save_adapter(tmp_path / "one", "one")
    fresh = adapter_lib.init(build("bert").double())
    fresh.load_adapter(tmp_path / "one")
    fresh.active_adapters = "one"
    check(hidden(fresh), hidden(model), within=0)


@pytest.mark.parametrize(("kept", "within"), [(48, 1e-6), (12, 0.02)])
def test_a_sketch_that_keeps_less_than_all_is_close(kept: int, within: float) -> None:
    torch.manual_seed(5)
    # Activations have a few strong directions.
    x = torch.randn(600, 48, dtype=torch.float64) @ torch.diag(0.85 ** torch.arange(48.0).double())
    sketch = Sketch(kept)
    for batch in x.split(50):
        sketch.take(batch)
    _, values, vectors = torch.linalg.svd(x, full_matrices=False)
    check((sketch.directions(4) @ vectors[:4].T).abs(), torch.eye(4, dtype=torch.float64), within=10 * within)
    shares = values.square() / x.square().sum()
    check(torch.tensor(sketch.explained()[:4], dtype=torch.float64), shares[:4], within=within)


def test_eva_refuses_what_it_cannot_do() -> None:
    model = _eva("bert")
    with pytest.raises(AttachError, match="batches that reach every linear map"):
        eva_start(model, "one", [])
    with pytest.raises(ConfigError, match="rho must be at least 1"):
        eva_start(model, "one", _batches(), rho=0.5)
    model.add_adapter("plain", "lora")
    with pytest.raises(ConfigError, match="'plain' is no LoRA with init_weights='eva'"):
        eva_start(model, "plain", _batches())


def _rounded(family: str) -> Any:
    """A base whose maps are rounded to a sixteenth: what quantising does, without a library for it."""
    base = build(family).double()
    with torch.no_grad():
        for module in base.modules():
            if type(module).__name__ in ("Linear", "Conv1D"):
                module.weight.copy_((module.weight * 16).round() / 16)
    return base


@pytest.mark.parametrize("family", FAMILIES)
def test_loftq_is_the_best_update_of_its_rank(family: str) -> None:
    model: Any = adapter_lib.init(_rounded(family))
    model.add_adapter("one", f"lora[r=6, alpha=3, init_weights=loftq, {ALL}]")
    original, rounded = build(family).double(), _rounded(family)
    report = loftq_start(model, "one", original.state_dict())
    before = after = 0.0
    for (layer, role), own in tensors(model, "one").items():
        lost = numbers(original, family, layer, role).weight - numbers(rounded, family, layer, role).weight
        left = torch.linalg.matrix_norm(lost - 0.5 * own["lora_b"] @ own["lora_a"]).item()
        # Eckart and Young: no matrix of rank 6 leaves less than the other singular values.
        assert left == pytest.approx(torch.linalg.svdvals(lost)[6:].square().sum().sqrt().item())
        before += lost.square().sum().item()
        after += left**2
    assert report.before == pytest.approx(before**0.5)
    assert report.after == pytest.approx(after**0.5)
    assert report.after < 0.8 * report.before
    model.active_adapters = "one"
    assert (hidden(model) - hidden(original)).norm() < (hidden(rounded) - hidden(original)).norm()


def test_loftq_refuses_what_it_cannot_do() -> None:
    model: Any = adapter_lib.init(_rounded("bert"))
    model.add_adapter("one", "lora[r=4, init_weights=loftq]")
    with pytest.raises(LoadError, match=r"have no encoder\.layer\.0\.attention\.self\.query\.weight"):
        loftq_start(model, "one", {})
    own = {key: value for key, value in model.state_dict().items() if "adapter_lib_" not in key}
    with pytest.raises(AttachError, match="the weights the model has"):
        loftq_start(model, "one", own)
    with pytest.raises(LoadError, match=r"has the shape \[3\], not \[32, 32\]"):
        loftq_start(model, "one", {key: torch.zeros(3) for key in own})
    model.add_adapter("plain", "lora")
    with pytest.raises(ConfigError, match="no LoRA with init_weights='loftq'"):
        loftq_start(model, "plain", own)
