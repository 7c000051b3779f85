"""OFT, BOFT and HRA: one rotation per map. PEFT's R is our Rᵀ."""

from collections.abc import Sequence

import torch
from torch import Tensor

from adapter_lib.formats.peft.exporting.draft import Draft, most
from adapter_lib.formats.peft.exporting.held import Held, Piece, sites
from adapter_lib.formats.peft.exporting.products import whole
from adapter_lib.spec.configs import BOFTConfig, HRAConfig, OFTConfig
from adapter_lib.spec.configs.block_width import block_width
from adapter_lib.spec.errors import LoadError


def oft(members: Sequence[Held], draft: Draft) -> None:
    """PEFT takes one width of blocks, and where that does not divide, the nearest that does."""
    found = whole(sites(members), "oft")
    kinds = {_kind(site.first) for site in found}
    if len(kinds) > 1:
        raise LoadError("PEFT has one block_share and one number of terms for all of an adapter's rotations.")
    ((is_shared, terms),) = kinds
    limits = {_limit(site.first) for site in found}
    widths: dict[tuple[int, int], None] = {}
    for site in found:
        config, place = _oft(site.first), site.first.spot.place
        widths[place.width_in, block_width("oft", place, config.block_size, config.blocks)] = None
        skew = _skew(site.first, is_limited=len(limits) > 1)
        draft.put(draft.path(site.module), "oft_R.weight", skew)
    draft.aim([site.module for site in found])
    draft.settings |= {
        **_sizes(list(widths)),
        **_constraint(limits),
        "block_share": is_shared,
        "use_cayley_neumann": terms > 0,
        "num_cayley_neumann_terms": terms + 1 if terms else 5,
        "bias": "none",
    }
    if len(limits) > 1:
        draft.notes.append("The limit of constrained OFT was put into the rotations: PEFT trains on without.")


def _limit(piece: Piece) -> float | None:
    """PEFT's eps, which goes by the number of blocks; None where nothing is limited."""
    config = _oft(piece)
    return config.eps * len(piece.tensor("skew")) ** 0.5 if config.coft else None


def _constraint(limits: set[float | None]) -> dict[str, object]:
    """The settings of constrained OFT, where one limit holds for all maps."""
    (limit,) = limits if len(limits) == 1 else (None,)
    return {"coft": False} if limit is None else {"coft": True, "eps": limit}


def _kind(piece: Piece) -> tuple[bool, int]:
    """(block_share, neumann_terms)"""
    config = _oft(piece)
    if config.neumann_terms in (1, 2):
        raise LoadError(
            f"PEFT's series has 3 terms or more; neumann_terms={config.neumann_terms} has no counterpart."
        )
    return config.block_share, config.neumann_terms


def _skew(piece: Piece, *, is_limited: bool) -> Tensor:
    """Q's entries, after the limit if PEFT does not know it; with the series PEFT's R has -Q for ours."""
    config, skew = _oft(piece), piece.tensor("skew")
    if config.coft and is_limited:
        norm = 2**0.5 * torch.linalg.vector_norm(skew, dim=-1, keepdim=True)
        skew = skew * (config.eps / norm.clamp(min=config.eps))
    return -skew if config.neumann_terms else skew


def _sizes(widths: list[tuple[int, int]]) -> dict[str, int]:
    """PEFT's `r` and `oft_block_size` for (input, block) widths. Raises LoadError if it has none for all."""
    for size in dict.fromkeys(block for _, block in widths):
        if all(adjusted(width, size) == block for width, block in widths):
            return {"r": 0, "oft_block_size": size}
    for count in dict.fromkeys(width // block for width, block in widths):
        if all(width // adjusted(width, count) == block for width, block in widths):
            return {"r": count, "oft_block_size": 0}
    raise LoadError("PEFT has one width of blocks for all maps, and here they differ from map to map.")


def adjusted(width: int, wish: int) -> int:
    """The divisor of a width that PEFT takes for a wish: the nearest, of two the smaller."""
    divisors = [number for number in range(1, width + 1) if width % number == 0]
    return min(divisors, key=lambda number: (abs(number - wish), number))


def _oft(piece: Piece) -> OFTConfig:
    if not isinstance(piece.config, OFTConfig):
        raise TypeError(f"{piece.config.name()} is no OFT.")
    return piece.config


def boft(members: Sequence[Held], draft: Draft) -> None:
    """Without its CUDA kernel PEFT computes one butterfly factor, so that one it is."""
    found = whole(sites(members), "boft")
    sizes = set[int]()
    for site in found:
        config, path = site.first.config, draft.path(site.module)
        if not isinstance(config, BOFTConfig) or config.n_butterfly > 1:
            raise LoadError(
                "PEFT's butterfly factors stand in another order than ours; n_butterfly=1 alone agrees."
            )
        sizes.add(config.block_size)
        draft.put(path, "boft_R", _matrices(site.first.tensor("skew"), config.block_size))
        ones = torch.ones(site.first.spot.place.width_out)
        draft.put(path, "boft_s", site.first.tensors.get("factor", ones)[:, None])
    draft.aim([site.module for site in found])
    draft.settings |= {
        "boft_block_size": int(most(sizes)),
        "boft_block_num": 0,
        "boft_n_butterfly_factor": 1,
        "bias": "none",
    }
    if len(sizes) > 1:
        raise LoadError("PEFT has one width of blocks for all maps, and here they differ from map to map.")


def _matrices(skew: Tensor, width: int) -> Tensor:
    """Q [factors, blocks, b, b] of its entries above the diagonal, row by row."""
    upper, right = torch.triu_indices(width, width, 1)
    matrices = skew.new_zeros(*skew.shape[:-1], width, width)
    matrices[..., upper, right] = skew
    return matrices - matrices.transpose(-1, -2)


def hra(members: Sequence[Held], draft: Draft) -> None:
    """H₁ … H_r"""
    found = whole(sites(members), "hra")
    ranks = {held.config.r for held in members if isinstance(held.config, HRAConfig)}
    if len(ranks) > 1:
        raise LoadError("PEFT has one number of reflections for all maps, and here they differ.")
    for site in found:
        draft.put(draft.path(site.module), "hra_u", site.first.tensor("u").t())
    draft.aim([site.module for site in found])
    draft.settings |= {"r": ranks.pop(), "apply_GS": False, "bias": "none"}
