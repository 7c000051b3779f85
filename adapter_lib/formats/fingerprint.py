"""A short digest of a backbone's weights, to tell whether an adapter was made for it."""

import hashlib

import numpy as np
import torch
from torch import Tensor, nn

from adapter_lib.inject import Atlas
from adapter_lib.points import original_weight
from adapter_lib.spec.errors import LoadError

_SAMPLES = 1024


def fingerprint(atlas: Atlas) -> str:
    """sha256 (hex) over the family and, per linear map of each layer, its shape and 1024 signs of weights.

    Signs are what rounding keeps: the digest is the same in float32, bfloat16 and float16, whatever head the
    model has and whatever adapters are on it (merged ones included). Module names do not enter, only roles.
    Quantised weights count by their shape alone.
    Raises LoadError for weights without numbers (meta device).
    """
    digest = hashlib.sha256(f"{atlas.resolved.family.name} {atlas.num_layers}".encode())
    for number, role, module in _maps(atlas):
        weight = original_weight(module)
        digest.update(f"{number} {role} {tuple(weight.shape)}".encode())
        digest.update(_sample(weight))
    return digest.hexdigest()


def _maps(atlas: Atlas) -> list[tuple[int, str, nn.Module]]:
    """(layer, role, map) of every layer, the parts of fused maps first, as their tables name them."""
    if not atlas.resolved.towers:
        return [(*spot.key, spot.module) for spot in atlas.unnamed()]
    found: list[tuple[int, str, nn.Module]] = []
    for tower in atlas.resolved.towers:
        table = tower.table.layer
        fused = [f"{part}.{letter}" for part, own in table.fused().items() for letter in own.letters]
        for number in range(tower.first, tower.first + len(tower.layers)):
            spots = [atlas.spots.get((number, role)) for role in dict.fromkeys((*fused, *table.leaves()))]
            found += [(number, spot.place.role, spot.module) for spot in spots if spot is not None]
    return found


def _sample(weight: Tensor) -> bytes:
    if weight.is_meta:
        raise LoadError("The backbone has no weights in memory (meta device), so it has no fingerprint.")
    if type(weight) is not Tensor or not weight.is_floating_point():
        return b""
    flat = weight.reshape(-1)
    places = torch.arange(_SAMPLES, device=flat.device) * (flat.numel() - 1) // (_SAMPLES - 1)
    signs = torch.signbit(flat[places]).cpu().numpy()
    return np.packbits(signs).tobytes()
