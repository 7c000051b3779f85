"""Magnitude pruning: of every update the entries that are largest, the rest is zero."""

from collections.abc import Iterable, Sequence

import torch
from torch import Tensor

from adapter_lib.merging.linear import weighted_sum
from adapter_lib.merging.low_rank import dense


def magnitude_prune(deltas: Sequence[Tensor], weights: Sequence[float], density: float) -> Tensor:
    """Σ wᵢ keep_largest(ΔWᵢ, density)."""
    return dense(weighted_sum([keep_largest(delta, density) for delta in deltas], weights))


def keep_largest(delta: Tensor, density: float) -> Tensor:
    """ΔW [..., out, in] with the largest entries of every matrix, the share `density` of them or one."""
    flat = delta.flatten(-2)
    count = max(1, int(density * flat.shape[-1]))
    kept = flat.abs().topk(count, dim=-1).indices
    pruned = torch.zeros_like(flat).scatter(-1, kept, flat.gather(-1, kept))
    return pruned.view(delta.shape)


def keep_above(delta: Tensor, threshold: float) -> Tensor:
    """ΔW with the entries whose magnitude is at least the threshold."""
    return delta * (delta.abs() >= threshold)


def threshold_of(deltas: Iterable[Tensor], density: float) -> float:
    """The magnitude that the share `density` of all entries of an adapter's updates reach (at least one)."""
    sizes = torch.cat([delta.abs().flatten().cpu() for delta in deltas])
    count = max(1, int(density * len(sizes)))
    return float(sizes.kthvalue(len(sizes) - count + 1).values)
