"""A difference is called one only when the interval says so."""

import pytest

from hubsite.web.comparison import Measured, compare


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (0.884, 0.927, "Beats the probe by 6.3 points (95 % interval 4.1 to 8.4)."),
        (0.838, 0.927, "Cannot be told apart from the probe: a difference of 6.3 points "
                       "(95 % interval −0.5 to 8.4)."),
        (0.843, 0.927, "Cannot be told apart from the probe: a difference of 6.3 points "
                       "(95 % interval 0.0 to 8.4)."),
    ],
)  # fmt: skip
def test_above_the_baseline(low: float, high: float, expected: str) -> None:
    assert compare(Measured(0.906, low, high), 0.843, "the probe") == expected


def test_below_the_baseline() -> None:
    said = compare(Measured(0.4, 0.35, 0.46), 0.5, "the majority class")
    assert said == "Falls short of the majority class by 10.0 points (95 % interval −15.0 to −4.0)."


def test_there_is_no_negative_zero() -> None:
    assert "difference of 0.0 points" in compare(Measured(0.49996, 0.4, 0.6), 0.5, "it")
