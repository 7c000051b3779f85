"""The weighted sum Σ wᵢ ΔWᵢ: task arithmetic (Ilharco et al. 2023, https://arxiv.org/abs/2212.04089).

Negative weights take a task away: weights 1 and -1 of one adapter give nothing, a weight of -1 alone negates.
"""

from collections.abc import Sequence

from adapter_lib.merging.cat import concatenated
from adapter_lib.merging.low_rank import Delta, Factors, dense


def weighted_sum(deltas: Sequence[Delta], weights: Sequence[float]) -> Delta:
    """Σ wᵢ ΔWᵢ; in factors where all are."""
    factors = [delta for delta in deltas if isinstance(delta, Factors)]
    if len(factors) == len(deltas):
        return concatenated(factors, weights)
    return sum(
        (weight * dense(delta) for delta, weight in zip(deltas[1:], weights[1:], strict=True)),
        start=weights[0] * dense(deltas[0]),
    )
