"""A change of a weight at one place: a whole matrix, or the two factors of one of low rank."""

from typing import NamedTuple

import torch
from torch import Tensor


class Factors(NamedTuple):
    """ΔW = b a, with a [..., r, in] and b [..., out, r]; dimensions in front are those of experts."""

    a: Tensor
    b: Tensor


Delta = Tensor | Factors
"""ΔW [..., out, in], as a whole or in factors; a convolution's kernel is flattened into its inputs."""


def dense(delta: Delta) -> Tensor:
    """ΔW as a whole."""
    return delta.b @ delta.a if isinstance(delta, Factors) else delta


def norm(delta: Delta) -> float:
    """‖ΔW‖ (Frobenius); of factors b = Q_b R_b, aᵀ = Q_a R_a without multiplying them out: ‖R_b R_aᵀ‖."""
    if isinstance(delta, Factors):
        (_, left), (_, right) = torch.linalg.qr(delta.b), torch.linalg.qr(delta.a.mT)
        return norm(left @ right.mT)
    return float(torch.linalg.vector_norm(delta.double()))


def difference(delta: Delta, found: Factors) -> Delta:
    """ΔW - b a; in factors where ΔW is."""
    if isinstance(delta, Factors):
        return Factors(torch.cat([delta.a, found.a], -2), torch.cat([delta.b, -found.b], -1))
    return delta - dense(found)
