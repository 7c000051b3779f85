"""AdaLoRA, LoHa, LoKr and HiRA: products of factors."""

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from adapter_lib.formats.peft.exporting.draft import Draft, most, whole_if
from adapter_lib.formats.peft.exporting.held import Held, Piece, Site, sites
from adapter_lib.formats.peft.exporting.low_rank import Update, assembled, same
from adapter_lib.formats.peft.importing.products import HIRA, LOHA, LOKR
from adapter_lib.formats.peft.importing.spectral import MORE
from adapter_lib.points import maps
from adapter_lib.spec.configs import AdaLoRAConfig, HiRAConfig, LoHaConfig, LoKrConfig
from adapter_lib.spec.errors import LoadError


def once(found: Sequence[Site]) -> Sequence[Site]:
    """The sites. Raises LoadError if two parts act on one map's same outputs."""
    for site in found:
        if site.is_twice:
            raise LoadError(f"Two updates act on {site.first.spot.place.key}, and PEFT has one per map.")
    return found


def whole(found: Sequence[Site], name: str) -> Sequence[Site]:
    """The sites. Raises LoadError for a map that ours changes in pieces, and PEFT as a whole."""
    for site in once(found):
        if not site.is_whole:
            raise LoadError(
                f"{name} changes {site.first.spot.place.key} by itself, and to PEFT that map is one matrix "
                "with others, whose update would be another."
            )
    return found


def adalora(members: Sequence[Held], draft: Draft) -> None:
    """Λ takes up what PEFT's scale, alpha / (rank + 1e-5), is less than ours."""
    config = members[0].config
    if not isinstance(config, AdaLoRAConfig) or any(held.config != config for held in members):
        raise LoadError("PEFT has one AdaLoRA in an adapter.")
    found = once(sites(members))
    pairs = {site: _adalora_update(site) for site in found}
    ranks = {len(update.a) for update, _ in pairs.values()}
    if len(ranks) > 1:
        raise LoadError("Some maps are one matrix to PEFT and others are not, so their ranks would differ.")
    (rank,) = ranks
    for site, (update, singular) in pairs.items():
        path = draft.path(site.module)
        draft.put(path, "lora_A", update.a)
        draft.put(path, "lora_B", update.b)
        draft.put(path, "lora_E", singular[:, None] * ((rank + MORE) / rank))
    draft.aim([site.module for site in found])
    draft.settings |= {
        "init_r": rank,
        "target_r": min(rank, config.target_r * (rank // config.init_r)),
        "lora_alpha": whole_if(config.scale * rank),
        "lora_dropout": config.dropout,
        "orth_reg_weight": config.orth_reg,
        "tinit": config.tinit,
        "tfinal": config.tfinal,
        "deltaT": config.delta_t,
        "beta1": config.beta1,
        "beta2": config.beta2,
        # PEFT insists on a number of steps; only training asks for it.
        "total_step": 1 + config.tinit + config.tfinal,
        "bias": "none",
    }


def _adalora_update(site: Site) -> tuple[Update, Tensor]:
    """Q and P as A and B, and Λ beside them: block by block where the map is in pieces."""
    updates = [Update(p.tensor("q"), p.tensor("p"), 1.0, p.columns) for p in site.pieces]
    if len(updates) == 1 and updates[0].columns is None:
        return updates[0], site.first.tensor("singular")
    width = maps.widths(site.module)[1]
    spectra = [torch.cat([p.tensor("q"), p.tensor("singular")[:, None]], dim=1) for p in site.pieces]
    if all(same(own, spectra[0]) for own in spectra):
        # One Λ Q for all pieces, as PEFT has it.
        b = assembled(updates, width).b
        return Update(updates[0].a, b, 1.0), site.first.tensor("singular")
    b = stacked([update.b for update in updates], [update.columns for update in updates], width)
    a = torch.cat([update.a for update in updates])
    return Update(a, b, 1.0), torch.cat([piece.tensor("singular") for piece in site.pieces])


def stacked(factors: Sequence[Tensor], columns: Sequence[Tensor | None], width_out: int) -> Tensor:
    """Left factors [outputs, r] of a map's shares, one beside the other: zero where a share ends."""
    whole_factor = factors[0].new_zeros(width_out, sum(factor.shape[1] for factor in factors))
    start = 0
    for factor, own in zip(factors, columns, strict=True):
        rows = torch.arange(width_out, device=factor.device) if own is None else own
        whole_factor[rows, start : start + factor.shape[1]] = factor
        start += factor.shape[1]
    return whole_factor


def loha(members: Sequence[Held], draft: Draft) -> None:
    """(B₁ A₁) ⊙ (B₂ A₂), row by row, so that a map in pieces has its factors block by block."""
    values = {site: _loha_values(site) for site in once(sites(members))}
    for site, tensors in values.items():
        _put(draft, site, tensors, LOHA)
    _describe(draft, {site: (len(tensors["a1"]), _scale(site.first)) for site, tensors in values.items()})


def _loha_values(site: Site) -> dict[str, Tensor]:
    names = ("a1", "b1", "a2", "b2")
    if site.is_whole:
        return {name: site.first.tensor(name) for name in names}
    columns, width = [piece.columns for piece in site.pieces], maps.widths(site.module)[1]
    first = _scale(site.first)
    lefts = [piece.tensor("b1") * (_scale(piece) / first) for piece in site.pieces]
    return {
        "a1": torch.cat([piece.tensor("a1") for piece in site.pieces]),
        "a2": torch.cat([piece.tensor("a2") for piece in site.pieces]),
        "b1": stacked(lefts, columns, width),
        "b2": stacked([piece.tensor("b2") for piece in site.pieces], columns, width),
    }


def lokr(members: Sequence[Held], draft: Draft) -> None:
    """C ⊗ D, whose pieces are not rows of a map: none of it can be put together."""
    found = whole(sites(members), "lokr")
    configs = [held.config for held in members]
    kinds = {(c.factor, c.decompose_both) for c in configs if isinstance(c, LoKrConfig)}
    if len(kinds) > 1:
        raise LoadError("PEFT has one factor and one decompose_both for all of an adapter's LoKr updates.")
    for site in found:
        _put(draft, site, site.first.tensors, LOKR)
    ((factor, decompose_both),) = kinds
    draft.settings |= {"decompose_factor": factor, "decompose_both": decompose_both}
    _describe(draft, {site: (_rank(site.first), _scale(site.first)) for site in found})


def hira(members: Sequence[Held], draft: Draft) -> None:
    """W ⊙ (B A), without a scale, row by row."""
    ranks: dict[str, float] = {}
    found = once(sites(members))
    for site in found:
        pieces = [Update(p.tensor("a"), p.tensor("b"), 1.0, p.columns) for p in site.pieces]
        update = assembled(pieces, maps.widths(site.module)[1])
        path = draft.path(site.module)
        for theirs, tensor in zip(HIRA, (update.a, update.b), strict=True):
            draft.put(path, theirs, tensor)
        ranks[path] = len(update.a)
    draft.aim([site.module for site in found])
    rank = most(ranks.values())
    draft.settings |= {"r": whole_if(rank), "rank_pattern": draft.differing(ranks, rank)}


def _scale(piece: Piece) -> float:
    config = piece.config
    if not isinstance(config, LoHaConfig | LoKrConfig):
        raise TypeError(f"{config.name()} has no scale.")
    return config.scale


def _rank(piece: Piece) -> int:
    config = piece.config
    if not isinstance(config, LoHaConfig | LoKrConfig | HiRAConfig):
        raise TypeError(f"{config.name()} has no rank.")
    return config.r


def _put(draft: Draft, site: Site, tensors: Mapping[str, Tensor], names: Mapping[str, str]) -> None:
    path = draft.path(site.module)
    for theirs, ours in names.items():
        if ours in tensors:
            draft.put(path, theirs, tensors[ours])


def _describe(draft: Draft, found: Mapping[Site, tuple[int, float]]) -> None:
    """found: the rank and the scale of every site."""
    draft.aim([site.module for site in found])
    ranks = {draft.path(site.module): float(rank) for site, (rank, _) in found.items()}
    alphas = {draft.path(site.module): whole_if(rank * scale) for site, (rank, scale) in found.items()}
    rank, alpha = most(ranks.values()), most(alphas.values())
    draft.settings |= {
        "r": whole_if(rank),
        "alpha": alpha,
        "rank_pattern": draft.differing(ranks, rank),
        "alpha_pattern": draft.differing(alphas, alpha),
    }
