"""The best factors of a rank: truncated singular value decomposition (Eckart and Young 1936)."""

import math

import torch
from torch import Tensor

from adapter_lib.merging.low_rank import Delta, Factors, norm


def best_factors(
    delta: Delta, rank: int | None = None, energy: float | None = None, noise: float | None = None
) -> Factors:
    """Factors of ΔW = U S Vᵀ cut to a rank: b = U √S, a = √S Vᵀ.

    energy: keep the smallest rank whose singular values have this share of Σ sᵢ², summed over experts; None
        keeps all that are not rounding. rank: keep at most so many. noise: singular values up to this are
        rounding; by default what rounding to ΔW's own type can make.
    """
    within = noise_of(delta) if noise is None else noise
    is_cut = rank is not None or energy is not None
    if is_cut and not isinstance(delta, Factors) and (found := _from_gram(delta, within, rank, energy)):
        return found
    left, singular, right = decomposed(delta)
    kept = rank_of(singular, within, rank, energy)
    root = singular[..., :kept].sqrt()
    return Factors(root.unsqueeze(-1) * right[..., :kept, :], left[..., :kept] * root.unsqueeze(-2))


def decomposed(delta: Delta) -> tuple[Tensor, Tensor, Tensor]:
    """U, S, Vᵀ; of factors by way of their QR decompositions, never decomposing a matrix of ΔW's size."""
    if not isinstance(delta, Factors):
        u, s, v = torch.linalg.svd(delta, full_matrices=False)
        return u, s, v
    (q_b, r_b), (q_a, r_a) = torch.linalg.qr(delta.b), torch.linalg.qr(delta.a.mT)
    u, s, v = torch.linalg.svd(r_b @ r_a.mT, full_matrices=False)
    return q_b @ u, s, v @ q_a.mT


def _from_gram(delta: Tensor, noise: float, rank: int | None, energy: float | None) -> Factors | None:
    """The same from the eigenvectors of ΔW ΔWᵀ (or of ΔWᵀ ΔW, if that is smaller), several times faster.

    Squaring halves the digits, so this is for singular values that are not small against the largest; None
    where one that is to be kept is.
    """
    if delta.shape[-2] > delta.shape[-1]:
        turned = _from_gram(delta.mT, noise, rank, energy)
        return None if turned is None else Factors(turned.b.mT, turned.a.mT)
    squares, vectors = torch.linalg.eigh(delta @ delta.mT)
    singular = squares.clamp(min=0).sqrt().flip(-1)
    kept = rank_of(singular, noise, rank, energy)
    root = singular[..., :kept].sqrt()
    # A fourth of the digits: far from where squares of small values drown in those of large ones.
    small = torch.finfo(delta.dtype).eps ** 0.25
    if not bool((singular[..., kept - 1] > singular[..., 0] * small).all()):
        return None
    left = vectors.flip(-1)[..., :kept]
    return Factors((left.mT @ delta) / root.unsqueeze(-1), left * root.unsqueeze(-2))


def rank_of(singular: Tensor, noise: float, rank: int | None, energy: float | None) -> int:
    """How many of the singular values [..., k], in falling order, are kept: at least 1.

    noise: values up to this are rounding.
    """
    squares = singular.double().square().reshape(-1, singular.shape[-1]).sum(0)
    needed = int((squares.sqrt() > noise).sum())
    if energy is not None and needed:
        shares = squares.cumsum(0) / squares.sum()
        needed = min(needed, int((shares < energy).sum()) + 1)
    return max(1, needed if rank is None else min(needed, rank))


def noise_of(delta: Delta) -> float:
    """How large singular values are that rounding makes: 2 √n ‖ΔW‖ times the relative step of its type."""
    sides = (delta.a.shape[-1], delta.b.shape[-2]) if isinstance(delta, Factors) else delta.shape[-2:]
    kind = delta.a.dtype if isinstance(delta, Factors) else delta.dtype
    return 2 * math.sqrt(max(sides)) * norm(delta) * torch.finfo(kind).eps
