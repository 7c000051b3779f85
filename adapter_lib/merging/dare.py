"""DARE (Yu et al. 2024, https://arxiv.org/abs/2311.03099): drop entries at random and rescale the rest."""

from collections.abc import Sequence

import torch
from torch import Tensor

from adapter_lib.merging.linear import weighted_sum
from adapter_lib.merging.low_rank import dense
from adapter_lib.merging.signs import Election, sign_of_total
from adapter_lib.merging.ties import agreed


def dare_linear(
    deltas: Sequence[Tensor], weights: Sequence[float], density: float, generator: torch.Generator
) -> Tensor:
    """Σ wᵢ drop_and_rescale(ΔWᵢ)."""
    return dense(weighted_sum([drop_and_rescale(delta, density, generator) for delta in deltas], weights))


def dare_ties(
    deltas: Sequence[Tensor],
    weights: Sequence[float],
    density: float,
    generator: torch.Generator,
    elect: Election = sign_of_total,
) -> Tensor:
    """TIES with `drop_and_rescale` in the place of its trimming."""
    return agreed([drop_and_rescale(delta, density, generator) for delta in deltas], weights, elect)


def drop_and_rescale(delta: Tensor, density: float, generator: torch.Generator) -> Tensor:
    """(m ⊙ ΔW) / density with m ~ Bernoulli(density): in expectation ΔW (p = 1 - density in the paper).

    The mask is drawn on the CPU and in float32, so that a seed means the same entries everywhere.
    """
    kept = torch.rand(delta.shape, generator=generator) < density
    return delta * kept.to(delta.device) / density
