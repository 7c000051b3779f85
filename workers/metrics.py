"""Accuracy with an interval that says how far a small evaluation set can be trusted."""

from collections.abc import Sequence

import numpy as np

from hubsite.validation.reports import Interval

RESAMPLES = 10_000
# The same answers give the same interval, on every worker.
SEED = 20_240_229


def accuracy(predicted: Sequence[int], wanted: Sequence[int]) -> Interval:
    """The fraction of equal pairs with its 95 % percentile bootstrap interval (Efron 1979).

    Drawing n outcomes of right and wrong with replacement is a binomial draw: no resample is written out.
    Raises ValueError for no pairs or unequal lengths.
    """
    if not wanted or len(predicted) != len(wanted):
        raise ValueError(f"{len(predicted)} predictions for {len(wanted)} labels cannot be compared.")
    count = len(wanted)
    value = sum(one == other for one, other in zip(predicted, wanted, strict=True)) / count
    draws = np.random.default_rng(SEED).binomial(count, value, size=RESAMPLES) / count
    low, high = np.percentile(draws, [2.5, 97.5])
    # The division of equal counts may differ in the last bit.
    return Interval(value, min(float(low), value), max(float(high), value), count)
