"""EVA (Paischer et al. 2024, https://arxiv.org/abs/2410.07170): LoRA that starts from activations."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn

from adapter_lib.methods import LoRA
from adapter_lib.model import AdapterModel, AdapterSetup
from adapter_lib.points import MapPoint
from adapter_lib.spec.configs import LoRAConfig, PerPlace, Place
from adapter_lib.spec.configs.low_rank import largest_rank
from adapter_lib.spec.errors import AttachError, ConfigError

# Directions kept of each place's inputs from batch to batch; narrower maps are decomposed exactly.
_KEPT = 512

Batches = Iterable[Mapping[str, Any]]


def eva_start(model: AdapterModel, name: str, batches: Batches, *, rho: float = 2.0) -> dict[str, int]:
    """Start an adapter made with init_weights="eva" from what its maps see in some batches.

    The rows of each A become the top right-singular vectors of the map's inputs X (not centred); B stays
    zero. The ranks are shared out anew: over all linear places those singular directions are taken that
    explain most of their place's variance, σ² / ‖X‖², at most rho · r per place and (unlike in the paper) at
    least one. The new ranks, and alphas that keep every place's s, are written into the adapter's config.

    Call it before training: the adapter is made anew. Tokens that `attention_mask` [B, S] hides do not count;
    no adapter acts meanwhile. Convolutions, embeddings and experts keep their start.
    Returns the rank of each place. Raises ConfigError for an adapter of another kind or a rho below 1,
    AttachError if no batch reached a place.
    """
    config = _config_of(model, name)
    if rho < 1:
        raise ConfigError(f"rho must be at least 1, not {rho!r}.")
    points = _linear_points(model, name)
    most = {place: min(math.ceil(rho * config.rank_at(place)), largest_rank(place)) for place in points}
    sketches = {module: Sketch(max(_KEPT, 4 * max(most.values()))) for module in points.values()}
    _look(model, batches, sketches)
    shares = {place: sketches[module].explained()[: most[place]] for place, module in points.items()}
    ranks = _share_out(shares, sum(config.rank_at(place) for place in points))
    _remake(model, name, _with_ranks(config, ranks))
    for part in model.adapter_runtime.injection.members(name):
        if isinstance(part, LoRA) and part.place in ranks:
            with torch.no_grad():
                part.lora_a.copy_(sketches[points[part.place]].directions(ranks[part.place]))
    return {place.key: rank for place, rank in ranks.items()}


class Sketch:
    """The leading right-singular vectors and values of rows that come batch by batch.

    Exact as long as no more rows or columns than are kept have come.
    """

    def __init__(self, kept: int) -> None:
        self._kept = kept
        self._energy = 0.0
        self._values = torch.empty(0)
        self._vectors = torch.empty(0, 0)

    def take(self, x: Tensor) -> None:
        """Add rows [N, d]."""
        x = x if x.dtype == torch.float64 else x.float()
        self._energy += x.square().sum().item()
        if self._values.numel():
            x = torch.cat([self._values[:, None] * self._vectors, x])
        _, values, vectors = torch.linalg.svd(x, full_matrices=False)
        self._values, self._vectors = values[: self._kept], vectors[: self._kept]

    def is_empty(self) -> bool:
        """True if nothing but zeros came."""
        return self._energy == 0

    def explained(self) -> list[float]:
        """σ² / ‖X‖² of each direction, the largest first."""
        shares: list[float] = (self._values.square() / self._energy).tolist()
        return shares

    def directions(self, count: int) -> Tensor:
        """The first right-singular vectors, [count, d]."""
        return self._vectors[:count]


def _config_of(model: AdapterModel, name: str) -> LoRAConfig:
    config = model.adapter_runtime.injection.configs.get(name)
    if not isinstance(config, LoRAConfig) or config.init_weights != "eva":
        raise ConfigError(f"{name!r} is no LoRA with init_weights='eva' on this model.")
    return config


def _linear_points(model: AdapterModel, name: str) -> dict[Place, nn.Module]:
    injection = model.adapter_runtime.injection
    points = [injection.points.points[key] for key in injection.parts(name)]
    return {p.place: p.served[0] for p in points if isinstance(p, MapPoint) and p.place.kind == "linear"}


def _look(model: AdapterModel, batches: Batches, sketches: Mapping[nn.Module, Sketch]) -> None:
    """Run the batches and let every sketch take its module's inputs."""
    hidden: list[Tensor | None] = [None]

    def see(module: nn.Module, args: tuple[Any, ...]) -> None:
        x, mask = args[0].detach(), hidden[0]
        is_masked = mask is not None and x.dim() == 3 and x.shape[:2] == mask.shape
        sketches[module].take(x[mask.bool()] if is_masked and mask is not None else x.flatten(0, -2))

    was_training = model.training
    handles = [module.register_forward_pre_hook(see) for module in sketches]
    try:
        model.eval()
        with torch.no_grad(), AdapterSetup(model, None):
            for batch in batches:
                mask = batch.get("attention_mask")
                hidden[0] = mask if isinstance(mask, Tensor) and mask.dim() == 2 else None
                model(**batch)
    finally:
        for handle in handles:
            handle.remove()
        model.train(was_training)
    if not sketches or any(sketch.is_empty() for sketch in sketches.values()):
        raise AttachError("EVA needs batches that reach every linear map of the adapter, and none did.")


def _share_out(shares: Mapping[Place, list[float]], budget: int) -> dict[Place, int]:
    """The ranks: every place's first direction, then the best of all others as far as the budget goes."""
    others = [(share, place) for place, own in shares.items() for share in own[1:]]
    others.sort(key=lambda pair: pair[0], reverse=True)
    ranks = dict.fromkeys(shares, 1)
    for _, place in others[: budget - len(ranks)]:
        ranks[place] += 1
    return ranks


def _with_ranks(config: LoRAConfig, ranks: Mapping[Place, int]) -> LoRAConfig:
    """The config with other ranks at some places, and alphas that leave s as it was."""
    root = 0.5 if config.rslora else 1.0
    alphas = {place.key: config.scale_at(place) * rank**root for place, rank in ranks.items()}
    return replace(
        config,
        rank_pattern=_joined(config.rank_pattern, {place.key: rank for place, rank in ranks.items()}),
        alpha_pattern=_joined(config.alpha_pattern, alphas),
    )


def _joined(pattern: object, more: Mapping[str, float]) -> PerPlace:
    before = pattern.to_json() if isinstance(pattern, PerPlace) else {}
    return PerPlace.parse({**before, **more})


def _remake(model: AdapterModel, name: str, config: LoRAConfig) -> None:
    """The adapter anew under its name, active where it was."""
    runtime = model.adapter_runtime
    block, heads, skipped = runtime.injection.block, runtime.active_heads, runtime.injection.skipped
    model.add_adapter(name, config, overwrite=True)
    model.set_active_adapters(block, head=heads or None, skip_layers=skipped)
