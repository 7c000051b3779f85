"""Fused maps: an update that PEFT has as one, cut to what every place needs of it."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

import torch
from torch import Tensor

from adapter_lib.formats.peft.modules import Modules, Target, rows
from adapter_lib.inject import Key

Factors = tuple[Tensor, Tensor]
"""A [r, in] and B [out, r] of one place, or of a whole map."""


def cut(
    targets: Sequence[Target],
    factors: Mapping[str, Factors],
    modules: Modules,
    kept: Collection[Key] = (),
) -> tuple[list[Target], dict[Key, Factors]]:
    """(targets with the places that are left of them, A and B by place).

    factors: A and B by path. Where the places of a map use different rows of A, as in a block-structured
    update, each gets its own rows, and a place that uses none gets nothing; else all have the whole A.
    kept: places that stay even so, with the whole A.
    """
    found: list[Target] = []
    shares: dict[Key, Factors] = {}
    for target in targets:
        held = _own(target, *factors[target.path], kept)
        shares |= held
        found.append(replace(target, spots=tuple(spot for spot in target.spots if spot.key in held)))
    if modules.can_aim(found):
        return found, shares
    whole = {s.key: (factors[t.path][0], rows(s, factors[t.path][1])) for t in targets for s in t.spots}
    return list(targets), whole


def _own(target: Target, a: Tensor, b: Tensor, kept: Collection[Key]) -> dict[Key, Factors]:
    shares = {spot.key: rows(spot, b) for spot in target.spots}
    used = {key: (share != 0).any(0) for key, share in shares.items()}
    counts = torch.stack(list(used.values())).sum(0)
    if len(shares) == 1 or not bool(counts.any()) or bool((counts > 1).any()):
        return {key: (a, share) for key, share in shares.items()}
    own = {key: (a[used[key]], share[:, used[key]]) for key, share in shares.items() if used[key].any()}
    return {key: own.get(key, (a, share)) for key, share in shares.items() if key in own or key in kept}
