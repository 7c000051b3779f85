"""The algorithms as their papers write them, entry by entry in numpy's float64, to measure ours against."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Matrix = NDArray[np.float64]


def trimmed(vector: Matrix, density: float) -> Matrix:
    """TIES, Algorithm 1, step 1: all but the largest `density` of a task vector's entries become 0."""
    order = sorted(range(vector.size), key=lambda i: -abs(vector.flat[i]))
    kept = np.zeros_like(vector)
    for i in order[: int(density * vector.size)]:
        kept.flat[i] = vector.flat[i]
    return kept


def ties(vectors: Sequence[Matrix], scale: float, density: float) -> Matrix:
    """TIES, Algorithm 1: trim, elect the sign of the sum, mean of those that agree; times λ."""
    cut = [trimmed(vector, density) for vector in vectors]
    merged = np.zeros_like(cut[0])
    for p in range(merged.size):
        values = [vector.flat[p] for vector in cut]
        sign = np.sign(sum(values))
        agreeing = [value for value in values if sign and np.sign(value) == sign]
        merged.flat[p] = scale * sum(agreeing) / len(agreeing) if agreeing else 0.0
    return merged


def ties_by_count(vectors: Sequence[Matrix], density: float) -> Matrix:
    """The same, with the sign that more of the vectors have; a draw goes to the sum's."""
    cut = [trimmed(vector, density) for vector in vectors]
    merged = np.zeros_like(cut[0])
    for p in range(merged.size):
        values = [vector.flat[p] for vector in cut]
        ups, downs = sum(v > 0 for v in values), sum(v < 0 for v in values)
        sign = np.sign(ups - downs) or np.sign(sum(values))
        agreeing = [value for value in values if sign and np.sign(value) == sign]
        merged.flat[p] = sum(agreeing) / len(agreeing) if agreeing else 0.0
    return merged


def dare(vector: Matrix, kept: NDArray[np.bool_], drop_rate: float) -> Matrix:
    """DARE, equations 2 to 4: (1 - m) ⊙ δ / (1 - p) for m ~ Bernoulli(p); `kept` is 1 - m."""
    return np.where(kept, vector, 0.0) / (1 - drop_rate)


def task_arithmetic(vectors: Sequence[Matrix], weights: Sequence[float]) -> Matrix:
    """Ilharco et al.: Σ λᵢ τᵢ."""
    total = np.zeros_like(vectors[0])
    for vector, weight in zip(vectors, weights, strict=True):
        total = total + weight * vector
    return total


def best_of_rank(matrix: Matrix, rank: int) -> Matrix:
    """Eckart and Young: Σ_{i ≤ rank} sᵢ uᵢ vᵢᵀ, with u and s from the eigenvectors of M Mᵀ."""
    values, vectors = np.linalg.eigh(matrix @ matrix.T)
    top = vectors[:, np.argsort(values)[::-1][:rank]]
    return np.asarray(top @ (top.T @ matrix))
