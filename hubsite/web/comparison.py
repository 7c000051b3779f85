"""What a measured score means beside a baseline, in one honest sentence."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Measured:
    """A score with its 95 % interval; fractions from 0 to 1."""

    value: float
    low: float
    high: float


def compare(score: Measured, baseline: float, name: str) -> str:
    """The difference in points and whether the interval excludes none at all.

    The interval is the score's own; the baseline is taken as exact, as the legend says.
    """
    gain, low, high = (_points(v - baseline) for v in (score.value, score.low, score.high))
    interval = f"95 % interval {_signed(low)} to {_signed(high)}"
    if low > 0:
        return f"Beats {name} by {gain:.1f} points ({interval})."
    if high < 0:
        return f"Falls short of {name} by {-gain:.1f} points ({interval})."
    return f"Cannot be told apart from {name}: a difference of {_signed(gain)} points ({interval})."


def _points(fraction: float) -> float:
    # Rounded first, so that the words agree with the numbers printed; + 0.0 turns -0.0 into 0.0.
    return round(100 * fraction, 1) + 0.0


def _signed(points: float) -> str:
    return f"{points:.1f}".replace("-", "−")
