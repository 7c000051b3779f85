"""A measure, and how far a small evaluation set can be trusted."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

RESAMPLES = 1000
# The same answers give the same interval.
_SEED = 20_251_125
Numbers = npt.NDArray[Any]


@dataclass(frozen=True)
class Measure:
    """A number that is computed from one line of numbers per example.

    statistics: [n, …], what each example contributes; value_of: the measure of some of these lines.
    resamples: how often it is computed again for its interval; fewer where that is slow, 0 for no interval.
    """

    name: str
    statistics: Numbers
    value_of: Callable[[Numbers], float]
    resamples: int = RESAMPLES


@dataclass(frozen=True)
class Score:
    """A measured value with its 95 % interval (percentile bootstrap over examples, Efron 1979), if taken."""

    name: str
    value: float
    low: float | None = None
    high: float | None = None


def score(measure: Measure, most: int = RESAMPLES) -> Score:
    """The measure's value on all examples, and its interval of at most so many resamples.

    Raises ValueError for no examples.
    """
    count = len(measure.statistics)
    if not count:
        raise ValueError(f"{measure.name} of no examples is not defined.")
    value = float(measure.value_of(measure.statistics))
    resamples = min(measure.resamples, most)
    if not resamples:
        return Score(measure.name, value)
    draw = np.random.default_rng(_SEED)
    drawn = [measure.value_of(measure.statistics[draw.integers(0, count, count)]) for _ in range(resamples)]
    low, high = np.percentile(drawn, [2.5, 97.5])
    return Score(measure.name, value, min(float(low), value), max(float(high), value))


def mean_of(name: str, values: Sequence[float]) -> Measure:
    """The mean over examples."""
    return Measure(name, np.asarray(values, dtype=np.float64), lambda rows: float(rows.mean()))
