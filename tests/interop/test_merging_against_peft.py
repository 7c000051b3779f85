"""Combining LoRAs as `peft` does: the same numbers where both act on updates, and how far apart where not."""

import json
from functools import cache
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor

import adapter_lib
from adapter_lib.merging.magnitude_prune import keep_largest
from adapter_lib.merging.signs import sign_of_total
from tests.adapter_lib.tiny import build
from tests.interop.recording import DATA

FOLDER = DATA / "merging"
TOLERANCE = 1e-5
ROLES = {"query": "attn.q", "value": "attn.v"}
# Ours of their name and settings.
STRATEGIES = {
    "linear": "linear",
    "cat": "cat",
    "svd": "svd",
    "ties_svd": "ties",
    "magnitude_prune_svd": "magnitude_prune",
    "dare_linear_svd": "dare_linear",
}
ELECTIONS = {"total": "total", "frequency": "count"}
AGREEING = (
    "linear_of_one",
    "cat",
    "svd",
    "ties_svd",
    "ties_svd_scaled",
    "ties_svd_by_count",
    "magnitude_prune_svd",
    "dare_linear_svd",
)
# Where theirs acts on A and B apart: how far from the same of the updates, relative to these.
OF_FACTORS = {"linear": "linear", "ties": "ties_svd", "magnitude_prune": "magnitude_prune_svd"}


@cache
def _tensors() -> dict[str, Tensor]:
    return {name: value.double() for name, value in load_file(str(FOLDER / "peft.safetensors")).items()}


def _under(prefix: str) -> dict[tuple[int, str], Tensor]:
    """By place: encoder.layer.1.attention.self.query is layer 1's attn.q."""
    found = {
        name.removeprefix(prefix): value for name, value in _tensors().items() if name.startswith(prefix)
    }
    return {(int(path.split(".")[2]), ROLES[path.rpartition(".")[2]]): value for path, value in found.items()}


def _way(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((FOLDER / "peft.json").read_text(encoding="utf-8"))["ways"][name]
    return found


def _combined(**settings: Any) -> dict[tuple[int, str], Tensor]:
    """Our updates W' - W by place; every LoRA has the peer's factors up to what does not change b a."""
    model: Any = adapter_lib.init(build("bert").double())
    for name in ("a", "b", "c"):
        model.add_adapter(name, "lora[r=4, alpha=4]")
        for key, part in model.adapter_runtime.injection.parts(name).items():
            u, s, v = torch.linalg.svd(_under(f"adapters/{name}/")[key])
            part.lora_a.data.copy_(v[:4])
            part.lora_b.data.copy_(u[:, :4] * s[:4])
    model.combine_adapters("d", **settings)
    points = model.adapter_runtime.injection.points.points
    weights = {key: points[key].weight().clone() for key in points}
    model.merge_adapter("d")
    return {key: points[key].served[0].weight.detach() - weights[key] for key in weights}


def _ours(name: str) -> dict[tuple[int, str], Tensor]:
    """What we make of a recorded way, the peer's settings said in our words."""
    way = _way(name)
    strategy = STRATEGIES[way["combination_type"]]
    settings: dict[str, Any] = {"adapters": way["adapters"], "weights": way["weights"], "strategy": strategy}
    if "density" in way:
        settings["density"] = way["density"]
    if "majority_sign_method" in way:
        settings["elect"] = ELECTIONS[way["majority_sign_method"]]
    if strategy == "svd":
        settings["rank"] = way["svd_rank"]
    return _combined(**settings)


def _apart(ours: dict[tuple[int, str], Tensor], theirs: dict[tuple[int, str], Tensor]) -> float:
    """The distance of all updates, relative to ours."""
    assert ours.keys() == theirs.keys()
    square = sum(float((ours[key] - value).square().sum()) for key, value in theirs.items())
    return float((square / sum(float(value.square().sum()) for value in ours.values())) ** 0.5)


@pytest.mark.parametrize("name", AGREEING)
def test_where_both_act_on_updates_the_numbers_are_the_same(name: str) -> None:
    ours, theirs = _ours(name), _under(f"ways/{name}/")
    for key, value in theirs.items():
        assert float(value.abs().max()) > 0.01
        torch.testing.assert_close(ours[key], value, atol=TOLERANCE, rtol=0)


def test_the_adapters_that_are_combined_are_the_recorded_ones() -> None:
    for name in ("a", "b", "c"):
        assert _apart(_combined(adapters=[name]), _under(f"adapters/{name}/")) < 1e-6


@pytest.mark.parametrize("name", OF_FACTORS)
def test_acting_on_factors_is_something_else(name: str) -> None:
    way = _way(name)
    settings = {"density": way["density"]} if "density" in way else {}
    ours = _combined(adapters=["a", "b", "c"], weights=way["weights"], strategy=name, **settings)
    # The cross terms Bᵢ Aⱼ of their linear are as large as the updates themselves.
    assert _apart(ours, _under(f"ways/{name}/")) > 0.3


def test_with_weights_of_both_signs_the_peer_elects_before_it_weighs() -> None:
    way = _way("ties_svd_mixed")
    settings = {"strategy": "ties", "density": way["density"]}
    ours = _combined(adapters=way["adapters"], weights=way["weights"], **settings)
    theirs = _under("ways/ties_svd_mixed/")
    assert _apart(ours, theirs) > 0.1
    for key, value in theirs.items():
        trimmed = torch.stack([keep_largest(_under(f"adapters/{n}/")[key], way["density"]) for n in "abc"])
        agrees = trimmed.sign() == sign_of_total(trimmed)
        weighted = trimmed * torch.tensor(way["weights"]).view(3, 1, 1)
        repeated = (weighted * agrees).sum(0) / agrees.sum(0).clamp(min=1)
        torch.testing.assert_close(repeated, value, atol=TOLERANCE, rtol=0)
