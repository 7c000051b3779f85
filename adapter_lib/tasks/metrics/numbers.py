"""Measures of answers that are numbers."""

from collections.abc import Sequence

import numpy as np
from scipy.stats import rankdata

from adapter_lib.tasks.metrics.measure import Measure, Numbers


def number_measures(answers: Sequence[float], wanted: Sequence[float]) -> list[Measure]:
    """Pearson's and Spearman's correlation (0 where all values are equal) and the mean squared error."""
    pairs = np.stack([np.asarray(answers, np.float64), np.asarray(wanted, np.float64)], axis=1)
    return [
        Measure("pearson", pairs, _pearson),
        Measure("spearman", pairs, _spearman),
        Measure("mse", pairs, lambda rows: float(((rows[:, 0] - rows[:, 1]) ** 2).mean())),
    ]


def _pearson(pairs: Numbers) -> float:
    if not pairs.std(axis=0).all():
        return 0.0
    return float(np.corrcoef(pairs[:, 0], pairs[:, 1])[0, 1])


def _spearman(pairs: Numbers) -> float:
    # Pearson's of the ranks, ties sharing the mean of theirs.
    return _pearson(rankdata(pairs, axis=0))
