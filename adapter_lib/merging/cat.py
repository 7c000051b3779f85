"""Concatenation: Σ wᵢ Bᵢ Aᵢ = [w₁ B₁, w₂ B₂, …] [A₁; A₂; …], of rank Σ rᵢ and without any loss."""

from collections.abc import Sequence

import torch

from adapter_lib.merging.low_rank import Factors


def concatenated(factors: Sequence[Factors], weights: Sequence[float]) -> Factors:
    """Factors of Σ wᵢ bᵢ aᵢ; the weights go into b."""
    scaled = [weight * each.b for each, weight in zip(factors, weights, strict=True)]
    return Factors(torch.cat([each.a for each in factors], -2), torch.cat(scaled, -1))
