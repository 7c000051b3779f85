"""A short digest of a backbone's weights, to tell whether an adapter was made for it."""

import hashlib

import numpy as np
import torch
from torch import Tensor, nn

from adapter_lib.families import resolve
from adapter_lib.points import original_weight
from adapter_lib.spec.errors import LoadError

_SAMPLES = 1024


def fingerprint(model: nn.Module) -> str:
    """sha256 (hex) over the family and, per linear map of each layer, its shape and 1024 signs of weights.

    Signs are what rounding keeps: the digest is the same in float32, bfloat16 and float16, whatever head the
    model has and whatever adapters are on it (merged ones included). Module names do not enter, only roles.
    Raises LoadError for weights without numbers (meta device).
    """
    resolved = resolve(model)
    spec = resolved.family.tower.layer
    digest = hashlib.sha256(f"{resolved.family.name} {len(resolved.layers)}".encode())
    for i, layer in enumerate(resolved.layers):
        for role, path in {**spec.fused(), **spec.leaves()}.items():
            weight = original_weight(layer.get_submodule(path))
            digest.update(f"{i} {role} {tuple(weight.shape)}".encode())
            digest.update(_sample(weight))
    return digest.hexdigest()


def _sample(weight: Tensor) -> bytes:
    if weight.is_meta:
        raise LoadError("The backbone has no weights in memory (meta device), so it has no fingerprint.")
    flat = weight.reshape(-1)
    places = torch.arange(_SAMPLES, device=flat.device) * (flat.numel() - 1) // (_SAMPLES - 1)
    signs = torch.signbit(flat[places]).cpu().numpy()
    return np.packbits(signs).tobytes()
