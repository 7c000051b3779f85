"""A plot of accuracies with their intervals, as an SVG that reads in light and dark."""

from collections.abc import Sequence
from html import escape
from typing import NamedTuple

_ROW, _LEFT, _WIDTH, _TOP = 18, 150, 560, 30


class Bar(NamedTuple):
    """A mean and its interval, in percent."""

    name: str
    mean: float
    low: float
    high: float


def drawn(bars: Sequence[Bar]) -> str:
    """One row per bar, the best first: a dot for the mean, a line for the interval."""
    ordered = sorted(bars, key=lambda bar: -bar.mean)
    low = 5 * (min((bar.low for bar in ordered), default=0) // 5)
    height = _TOP + _ROW * len(ordered) + 10
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_LEFT + _WIDTH + 60} {height}" '
        'font-family="system-ui, sans-serif" font-size="11" role="img">',
        "<title>Mean accuracy over the text sets, with 95 % intervals</title>",
        "<style>text{fill:#24292f}.grid{stroke:#d0d7de}.mark{stroke:#0969da;fill:#0969da}"
        "@media (prefers-color-scheme: dark){text{fill:#e6edf3}.grid{stroke:#30363d}"
        ".mark{stroke:#58a6ff;fill:#58a6ff}}</style>",
        *_grid(low, height),
    ]
    for i, bar in enumerate(ordered):
        parts += _row(bar, _TOP + _ROW * i + 9, low)
    return "\n".join([*parts, "</svg>"]) + "\n"


def _x(value: float, low: float) -> float:
    return round(_LEFT + _WIDTH * (value - low) / (100 - low), 1)


def _grid(low: float, height: int) -> list[str]:
    found = []
    step = 5 if low >= 60 else 10
    for value in range(int(low), 101, step):
        x = _x(value, low)
        found.append(f'<line class="grid" x1="{x}" y1="{_TOP - 6}" x2="{x}" y2="{height - 8}"/>')
        found.append(f'<text x="{x}" y="{_TOP - 12}" text-anchor="middle">{value} %</text>')
    return found


def _row(bar: Bar, y: int, low: float) -> list[str]:
    return [
        f'<text x="{_LEFT - 8}" y="{y + 4}" text-anchor="end">{escape(bar.name)}</text>',
        f'<line class="mark" x1="{_x(bar.low, low)}" y1="{y}" x2="{_x(bar.high, low)}" y2="{y}"/>',
        f'<circle class="mark" cx="{_x(bar.mean, low)}" cy="{y}" r="3.5"/>',
        f'<text x="{_x(bar.high, low) + 6}" y="{y + 4}">{bar.mean:.1f}</text>',
    ]
