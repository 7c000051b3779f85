"""LoRA in every form that is B A: linear, convolution, embedding, experts, DoRA, PiSSA, OLoRA."""

from typing import Any

import torch
from torch import Tensor

from adapter_lib.inject import Atlas
from adapter_lib.inject.atlas import Key
from adapter_lib.methods.starts import orthonormal, principal
from adapter_lib.points import maps
from adapter_lib.spec.configs import DoRAConfig, LoRAConfig
from tests.interop.porting_peft import additions, experts
from tests.interop.porting_peft.checkpoint import Checkpoint
from tests.interop.porting_peft.ported import Member
from tests.interop.porting_peft.target_modules import Target, aimed_at, rows, target

Tensors = dict[str, Tensor]


def lora(checkpoint: Checkpoint, atlas: Atlas) -> list[Member]:
    """LoRA or DoRA, and what may stand beside it: biases of B, retrained tokens."""
    expert = experts.lora(checkpoint, atlas)
    names = ("lora_A", "lora_embedding_A")
    targets = [target(path, atlas) for path in checkpoint.paths(*names)]
    pairs = {found.path: _pair(checkpoint, found.path) for found in targets}
    tensors: dict[Key, Tensors] = dict(expert.tensors)
    ranks, alphas = dict(expert.ranks), dict(expert.alphas)
    for found in targets:
        a, b = pairs[found.path]
        magnitude = checkpoint.take_if(found.path, "lora_magnitude_vector")
        start = _start(checkpoint, found, len(a))
        for spot in found.spots:
            held = {"lora_a": a, "lora_b": rows(spot, b)}
            if magnitude is not None:
                held["magnitude"] = rows(spot, magnitude.flatten())
            if start is not None:
                held |= {"start_a": start[0], "start_b": rows(spot, start[1])}
            tensors[spot.key] = held
            ranks[spot.key], alphas[spot.key] = len(a), _alpha(checkpoint, found.path)
    aims = aimed_at([*targets, *expert.targets], atlas)
    config = _config(checkpoint, aims, _differing(ranks, checkpoint.config["r"], atlas),
                     _differing(alphas, checkpoint.config["lora_alpha"], atlas))  # fmt: skip
    scales = {found.path: config.scale_at(found.spots[0].place) for found in targets}
    beside = additions.biases_of_b(checkpoint, targets, scales, atlas)
    if checkpoint.config.get("trainable_token_indices"):
        beside += additions.tokens(checkpoint, atlas)
    return [Member(config, tensors, filled=expert.filled), *beside]


def _pair(checkpoint: Checkpoint, path: str) -> tuple[Tensor, Tensor]:
    """A and B as ours: an embedding's have the layout of ours, a convolution's B loses its kernel of ones."""
    if "lora_embedding_A" in checkpoint.adapted[path]:
        return checkpoint.take(path, "lora_embedding_A"), checkpoint.take(path, "lora_embedding_B")
    return checkpoint.take(path, "lora_A.weight"), checkpoint.take(path, "lora_B.weight").flatten(1)


def _alpha(checkpoint: Checkpoint, path: str) -> float:
    return float(checkpoint.by_pattern("alpha_pattern", path, checkpoint.config["lora_alpha"]))


def _start(checkpoint: Checkpoint, found: Target, rank: int) -> tuple[Tensor, Tensor] | None:
    """A0 and B0, which the peer took off the weight and does not store: made again from the weight."""
    kind = checkpoint.config["init_lora_weights"]
    if kind not in ("pissa", "olora"):
        return None
    weight = maps.as_rows(found.module, maps.plain_weight(found.module)).detach().float()
    with torch.no_grad():
        if kind == "olora":
            return orthonormal(weight, rank)
        root = rank**0.5 if checkpoint.config["use_rslora"] else rank
        return principal(weight, rank, _alpha(checkpoint, found.path) / root)


def _config(
    checkpoint: Checkpoint, aims: dict[str, Any], ranks: dict[str, float], alphas: dict[str, float]
) -> LoRAConfig | DoRAConfig:
    given = checkpoint.config
    common: dict[str, Any] = {
        **aims,
        "r": given["r"],
        "alpha": given["lora_alpha"],
        "dropout": given["lora_dropout"],
        "rslora": given["use_rslora"],
        "rank_pattern": ranks or None,
        "alpha_pattern": alphas or None,
    }
    if given["use_dora"]:
        return DoRAConfig(**common)
    kind = given["init_lora_weights"]
    return LoRAConfig(**common, init_weights=kind if kind in ("pissa", "olora") else "lora")


def _differing(values: dict[Key, Any], usual: Any, atlas: Atlas) -> dict[str, Any]:
    """The values that are not the usual one, by the name that patterns have for their place."""
    return {atlas.spot(key).place.key: value for key, value in values.items() if value != usual}
