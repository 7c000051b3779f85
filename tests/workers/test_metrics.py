"""Accuracy and its interval."""

import numpy as np
import pytest

from workers.metrics import accuracy


def test_accuracy_is_the_fraction_of_hits() -> None:
    assert accuracy([1, 0, 1, 1], [1, 1, 1, 1]).value == 0.75


def test_the_interval_is_that_of_resampled_outcomes() -> None:
    """Recomputed the long way: draw indices with replacement, average, take percentiles."""
    wanted = [1] * 80
    predicted = [1] * 60 + [0] * 20
    outcomes = np.array(predicted) == np.array(wanted)
    rng = np.random.default_rng(5)
    means = outcomes[rng.integers(0, 80, size=(10_000, 80))].mean(axis=1)
    low, high = np.percentile(means, [2.5, 97.5])
    result = accuracy(predicted, wanted)
    assert abs(result.low - low) < 0.013
    assert abs(result.high - high) < 0.013
    assert result.examples == 80


def test_the_same_answers_give_the_same_interval() -> None:
    assert accuracy([1, 0, 1], [1, 1, 1]) == accuracy([1, 0, 1], [1, 1, 1])


@pytest.mark.parametrize(("predicted", "value"), [([1, 1, 1], 1.0), ([0, 0, 0], 0.0)])
def test_all_or_nothing_has_an_interval_without_width(predicted: list[int], value: float) -> None:
    result = accuracy(predicted, [1, 1, 1])
    assert (result.low, result.value, result.high) == (value, value, value)


@pytest.mark.parametrize(("predicted", "wanted"), [([], []), ([1], [1, 0])])
def test_nothing_to_compare_is_refused(predicted: list[int], wanted: list[int]) -> None:
    with pytest.raises(ValueError, match="cannot be compared"):
        accuracy(predicted, wanted)
