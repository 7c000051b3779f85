"""TIES (Yadav et al. 2023, https://arxiv.org/abs/2306.01708): trim, elect signs, merge what agrees."""

from collections.abc import Sequence

import torch
from torch import Tensor

from adapter_lib.merging.magnitude_prune import keep_largest
from adapter_lib.merging.signs import Election, mean_of_agreeing, sign_of_total


def ties(
    deltas: Sequence[Tensor], weights: Sequence[float], density: float, elect: Election = sign_of_total
) -> Tensor:
    """The mean, per entry, of those wᵢ · keep_largest(ΔWᵢ) that have the elected sign.

    With equal weights λ this is the paper's λ τ_m (Algorithm 1). A negative weight votes for the opposite of
    its update. Each update is trimmed by itself; the paper trims those of all maps as one vector
    (`threshold_of` and `keep_above`, then `agreed`).
    """
    return agreed([keep_largest(delta, density) for delta in deltas], weights, elect)


def agreed(deltas: Sequence[Tensor], weights: Sequence[float], elect: Election) -> Tensor:
    """The last two steps: election and the mean of what agrees."""
    weighted = torch.stack([weight * delta for delta, weight in zip(deltas, weights, strict=True)])
    return mean_of_agreeing(weighted, elect(weighted))
