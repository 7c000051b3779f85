"""LoRA in every form that is B A: linear, convolution, embedding, experts, DoRA, PiSSA, OLoRA."""

from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from adapter_lib.formats.peft.checkpoint import Checkpoint, Tensors
from adapter_lib.formats.peft.importing import additions, blocks, experts
from adapter_lib.formats.peft.importing.heads import fold
from adapter_lib.formats.peft.importing.pairs import (
    EMBEDDING,
    alpha_of,
    check_rank,
    pair,
    root_of,
    scale_of,
    start_of,
)
from adapter_lib.formats.peft.members import Member
from adapter_lib.formats.peft.modules import Modules, Target, check_shape, rows
from adapter_lib.formats.peft.settings import Settings
from adapter_lib.inject import Atlas, Key, Spot
from adapter_lib.methods.starts import orthonormal, principal
from adapter_lib.points import maps
from adapter_lib.spec.configs import DoRAConfig, LoRAConfig
from adapter_lib.spec.errors import LoadError


@dataclass
class _Found:
    """What the modules gave: tensors, ranks and alphas by place."""

    tensors: dict[Key, Tensors] = field(default_factory=dict)
    ranks: dict[Key, int] = field(default_factory=dict)
    alphas: dict[Key, float] = field(default_factory=dict)


def lora(checkpoint: Checkpoint, modules: Modules) -> list[Member]:
    """LoRA or DoRA, and what may stand beside it: biases of B, retrained tokens."""
    settings, atlas = checkpoint.settings, modules.atlas
    start = start_of(settings)
    expert = experts.lora(checkpoint, modules)
    fold(checkpoint, modules)
    whole = [modules.target(path) for path in checkpoint.paths("lora_A", EMBEDDING)]
    pairs = {target.path: pair(checkpoint, target.path, target.module) for target in whole}
    for path, (a, _) in pairs.items():
        check_rank(settings, path, len(a))
    magnitudes = _magnitudes(checkpoint, whole)
    targets, shares = _cut(whole, pairs, magnitudes, modules, is_plain=start == "lora")
    found = _Found(dict(expert.tensors), dict(expert.ranks), dict(expert.alphas))
    for target in targets:
        _module(settings, target, start, pairs[target.path], shares, magnitudes.get(target.path), found)
    members: list[Member] = []
    if targets or expert.targets:
        config = _config(settings, modules.aim([*targets, *expert.targets]), found, start, atlas)
        members.append(Member(config, found.tensors, filled=expert.filled))
        scales = {
            target.path: scale_of(settings, target.path, len(pairs[target.path][0])) for target in whole
        }
        members += additions.biases_of_b(checkpoint, whole, scales, found.tensors, modules)
    if settings.get("trainable_token_indices"):
        members += additions.tokens(checkpoint, modules)
    return members


def _cut(
    whole: list[Target],
    pairs: dict[str, blocks.Factors],
    magnitudes: dict[str, Tensor],
    modules: Modules,
    *,
    is_plain: bool,
) -> tuple[list[Target], dict[Key, blocks.Factors]]:
    """What every place needs. Where a start was taken off, the whole A goes with it."""
    if not is_plain:
        return whole, {s.key: (pairs[t.path][0], rows(s, pairs[t.path][1])) for t in whole for s in t.spots}
    kept = [s.key for t in whole if t.path in magnitudes for s in _turned(t, magnitudes[t.path])]
    return blocks.cut(whole, pairs, modules, kept)


def _turned(target: Target, magnitude: Tensor) -> list[Spot]:
    """The places where a magnitude is not the norm of the weight's row, which alone changes nothing."""
    weight = maps.as_rows(target.module, maps.plain_weight(target.module)).detach().flatten(1)
    is_same = torch.isclose(torch.linalg.vector_norm(weight, dim=1), magnitude.to(weight), atol=0, rtol=1e-6)
    return [spot for spot in target.spots if not bool(rows(spot, is_same).all())]


def _module(
    settings: Settings,
    target: Target,
    start: str,
    whole: blocks.Factors,
    shares: dict[Key, blocks.Factors],
    magnitude: Tensor | None,
    found: _Found,
) -> None:
    a, _ = whole
    scale = scale_of(settings, target.path, len(a))
    begun = None if start == "lora" else _start(settings, target, len(a), start)
    for spot in target.spots:
        own_a, own_b = shares[spot.key]
        held = {"lora_a": own_a, "lora_b": own_b}
        if magnitude is not None:
            held["magnitude"] = rows(spot, magnitude)
        if begun is not None:
            held |= {"start_a": begun[0], "start_b": rows(spot, begun[1])}
        found.tensors[spot.key] = held
        found.ranks[spot.key] = rank = len(own_a)
        is_all = rank == len(a)
        found.alphas[spot.key] = (
            alpha_of(settings, target.path) if is_all else scale * root_of(settings, rank)
        )


def _magnitudes(checkpoint: Checkpoint, targets: list[Target]) -> dict[str, Tensor]:
    """DoRA's m [out] by path."""
    found: dict[str, Tensor] = {}
    for target in targets:
        magnitude = _magnitude(checkpoint, target.path)
        if magnitude is not None:
            width = maps.widths(target.module)[1]
            found[target.path] = check_shape(
                target.path, "lora_magnitude_vector", magnitude.flatten(), (width,)
            )
    return found


def _magnitude(checkpoint: Checkpoint, path: str) -> Tensor | None:
    """DoRA's m, under either of the names that PEFT has given it."""
    found = (checkpoint.take_if(path, f"lora_magnitude_vector{end}") for end in ("", ".weight"))
    return next((tensor for tensor in found if tensor is not None), None)


def _start(settings: Settings, target: Target, rank: int, kind: str) -> tuple[Tensor, Tensor]:
    """A0 and B0, which PEFT took off the weight and does not store: made again from the weight."""
    weight = maps.as_rows(target.module, maps.plain_weight(target.module)).detach().float()
    if rank > min(weight.shape):
        raise LoadError(f"{target.path} has no {rank} components that {kind} could have started from.")
    with torch.no_grad():
        if kind == "olora":
            return orthonormal(weight, rank)
        return principal(weight, rank, scale_of(settings, target.path, rank))


def _config(
    settings: Settings, aims: dict[str, Any], found: _Found, start: str, atlas: Atlas
) -> LoRAConfig | DoRAConfig:
    # A rank or an alpha that no module has would only be in the way.
    rank, alpha = (
        _usual(settings.whole("r", 8), found.ranks),
        _usual(settings.number("lora_alpha", 8), found.alphas),
    )
    common: dict[str, Any] = {
        **aims,
        "r": rank,
        "alpha": alpha,
        "dropout": settings.number("lora_dropout", 0),
        "rslora": settings.flag("use_rslora"),
        "rank_pattern": _differing(found.ranks, rank, atlas) or None,
        "alpha_pattern": _differing(found.alphas, alpha, atlas) or None,
    }
    if settings.flag("use_dora"):
        return DoRAConfig(**common)
    return LoRAConfig(**common, init_weights=start)


def _usual(named: Any, values: dict[Key, Any]) -> Any:
    """What the settings name, if some place has it; else what most have."""
    held = list(values.values())
    return named if named in held else max(held, key=held.count)


def _differing(values: dict[Key, Any], usual: float, atlas: Atlas) -> dict[str, Any]:
    """The values that are not the usual one, by the name that patterns have for their place."""
    return {atlas.spot(key).place.key: value for key, value in values.items() if value != usual}
