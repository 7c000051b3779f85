"""LoRA in every form that is B A; several maps that are one to PEFT become one block-structured pair."""

import math
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

import torch
from torch import Tensor

from adapter_lib.formats.peft.checkpoint import NESTED
from adapter_lib.formats.peft.exporting.draft import Draft, most, whole_if
from adapter_lib.formats.peft.exporting.held import Held, Piece, Site, sites
from adapter_lib.formats.peft.importing.experts import PARAMETERS
from adapter_lib.points import maps
from adapter_lib.spec.configs import DoRAConfig, LowRankConfig
from adapter_lib.spec.errors import LoadError


class Update(NamedTuple):
    """s · B A of some of a map's outputs (None: all), A [r, …], B [outputs, r]."""

    a: Tensor
    b: Tensor
    scale: float
    columns: Tensor | None = None


def lora(members: Sequence[Held], draft: Draft) -> dict[str, Update]:
    """LoRA and DoRA; PiSSA and OLoRA as plain LoRAs of twice the rank. Returns the updates by path."""
    configs = [held.config for held in members if isinstance(held.config, LowRankConfig)]
    if len({(config.method, config.rslora) for config in configs}) > 1:
        raise LoadError("PEFT has either LoRA or DoRA in one adapter, and one rule for the scale of all.")
    every, is_dora = sites(members), configs[0].method == "dora"
    _check_biases(every)
    if is_dora and any(site.is_twice for site in every):
        raise LoadError("Two DoRAs act on one map here, and PEFT has one per map in an adapter.")
    maps_alone = [site for site in every if site.first.spot.place.kind != "experts"]
    parts = {site: [_of_piece(piece) for piece in site.pieces] for site in maps_alone}
    experts = _experts([site for site in every if site not in parts], draft)
    updates = put_updates(
        parts, draft, dropout=configs[0].dropout, rslora=configs[0].rslora, use_dora=is_dora, experts=experts
    )
    for site in maps_alone if is_dora else ():
        _put_magnitude(draft, draft.path(site.module), site)
    return updates


def _check_biases(found: Sequence[Site]) -> None:
    for site in found:
        config, place = site.first.config, site.first.spot.place
        if isinstance(config, DoRAConfig) and config.scales_bias and place.has_bias:
            raise LoadError(
                f"PEFT's DoRA leaves a map's bias alone, and scales_bias changes that of {place.key}."
            )


def put_updates(
    parts: Mapping[Site, Sequence[Update]],
    draft: Draft,
    *,
    dropout: float = 0.0,
    rslora: bool = False,
    use_dora: bool = False,
    experts: Mapping[str, Update] = MappingProxyType({}),
) -> dict[str, Update]:
    """Write the updates of every module as LoRA; `experts` are written already, and described with them."""
    updates = {draft.path(s.module): assembled(held, maps.widths(s.module)[1]) for s, held in parts.items()}
    for site, update in zip(parts, updates.values(), strict=True):
        _put(draft, draft.path(site.module), site, update)
    draft.aim([site.module for site in parts])
    draft.settings |= {
        "lora_dropout": dropout,
        "use_rslora": rslora,
        "use_dora": use_dora,
        "init_lora_weights": True,
        "bias": "none",
    }
    _describe(draft, {**updates, **experts}, rslora=rslora)
    return updates


def assembled(updates: Sequence[Update], width_out: int) -> Update:
    """Several updates of one map as one: A stacked, B block by block; equal A's are stacked once."""
    first = updates[0]
    if len(updates) == 1 and first.columns is None:
        return first
    stacked: list[Tensor] = []
    begins: list[int] = []
    starts: list[int] = []
    for update in updates:
        pairs = zip(begins, stacked, strict=True)
        start = next((at for at, a in pairs if same(a, update.a)), None)
        if start is None:
            start = sum(len(a) for a in stacked)
            begins.append(start)
            stacked.append(update.a)
        starts.append(start)
    b = first.b.new_zeros(width_out, sum(len(a) for a in stacked))
    for update, start in zip(updates, starts, strict=True):
        rows = torch.arange(width_out, device=b.device) if update.columns is None else update.columns
        b[rows, start : start + len(update.a)] += update.b * (update.scale / first.scale)
    return Update(torch.cat(stacked), b, first.scale)


def same(first: Tensor, second: Tensor) -> bool:
    """True for equal tensors of one shape."""
    return first.shape == second.shape and bool((first == second).all())


def _of_piece(piece: Piece) -> Update:
    """PiSSA's and OLoRA's s (B A - B0 A0) is one product of twice the rank."""
    config = piece.config
    if not isinstance(config, LowRankConfig):
        raise TypeError(f"{config.name()} is no update B A.")
    a, b, scale = piece.tensor("lora_a"), piece.tensor("lora_b"), config.scale_at(piece.spot.place)
    if "start_a" in piece.tensors:
        a0, b0 = piece.tensor("start_a"), piece.tensor("start_b")
        a, b = torch.cat([a, a0], dim=-2 if a.dim() == 3 else 0), torch.cat([b, -b0], dim=-1)
    return Update(a, b, scale, piece.columns)


def _put(draft: Draft, path: str, site: Site, update: Update) -> None:
    kind, extent = site.first.spot.place.kind, site.first.spot.place.extent
    if kind == "embedding":
        draft.put(path, "lora_embedding_A", update.a)
        draft.put(path, "lora_embedding_B", update.b)
        return
    draft.put(path, "lora_A.weight", update.a)
    draft.put(path, "lora_B.weight", update.b.view(*update.b.shape, *(1 for _ in extent)))


def _put_magnitude(draft: Draft, path: str, site: Site) -> None:
    """m of every output; where no part acts, the norm of the weight's row, which changes nothing."""
    weight = maps.as_rows(site.module, maps.plain_weight(site.module)).detach().flatten(1)
    magnitude = torch.linalg.vector_norm(weight, dim=1)
    for piece in site.pieces:
        columns = piece.columns
        own = piece.tensor("magnitude").to(magnitude)
        magnitude = own if columns is None else magnitude.index_copy(0, columns, own)
    extent = site.first.spot.place.extent
    shaped = magnitude.view(1, -1, *(1 for _ in extent)) if extent else magnitude
    draft.put(path, "lora_magnitude_vector", shaped)


def _experts(found: Sequence[Site], draft: Draft) -> dict[str, Update]:
    """Experts are parameters to PEFT; a module with two of them nests the first one's tensors."""
    updates: dict[str, Update] = {}
    names: dict[str, str] = {role: name for name, role in PARAMETERS.items()}
    for site in found:
        pieces = [piece for piece in site.pieces if bool(piece.tensor("lora_b").any())] or list(site.pieces)
        if site.is_twice:
            raise LoadError("Two LoRAs act on one expert tensor here, and PEFT has one in an adapter.")
        pieces.sort(key=lambda piece: list(PARAMETERS.values()).index(piece.spot.place.role))
        path = draft.path(site.module)
        for depth, piece in enumerate(reversed(pieces)):
            update, name = _of_piece(piece), names[piece.spot.place.role]
            count, rank, _ = update.a.shape
            nested = path + NESTED * depth
            draft.put(nested, "lora_A.weight", update.a.reshape(count * rank, -1))
            draft.put(nested, "lora_B.weight", update.b.permute(1, 2, 0).reshape(-1, rank * count))
            updates[f"{path}.{name}"] = Update(update.a[0], update.b[0], update.scale)
    if updates:
        draft.settings["target_parameters"] = sorted({".".join(p.split(".")[-3:]) for p in updates})
    return updates


def _describe(draft: Draft, updates: Mapping[str, Update], *, rslora: bool) -> None:
    """Ranks and alphas, those of most modules first."""
    ranks = {path: float(len(update.a)) for path, update in updates.items()}
    roots = {path: math.sqrt(rank) if rslora else rank for path, rank in ranks.items()}
    alphas = {path: whole_if(update.scale * roots[path]) for path, update in updates.items()}
    rank, alpha = most(ranks.values()), most(alphas.values())
    draft.settings |= {
        "r": whole_if(rank),
        "lora_alpha": alpha,
        "rank_pattern": draft.differing(ranks, rank),
        "alpha_pattern": draft.differing(alphas, alpha),
    }
