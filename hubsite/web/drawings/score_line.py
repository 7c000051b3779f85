"""The score line: 0 to 100, baselines as ticks, the score with its interval, a claim as a ring.

Positions along the line are percentages, so one drawing fits every width without scaling its text.
"""

from dataclasses import dataclass, field

from django.utils.safestring import SafeString

from hubsite.web.drawings.svg import Value, drawing, element, number

# Labels nearer to each other than this (in points of the line) go on different rows.
_LABEL_ROOM = 45.0


@dataclass(frozen=True)
class Tick:
    """A baseline: `value` from 0 to 1, `label` as on the drawing, e.g. `linear probe`."""

    label: str
    value: float


@dataclass(frozen=True)
class ScoreLine:
    """What the line shows; all values are fractions from 0 to 1."""

    metric: str
    value: float
    low: float
    high: float
    hue: str
    ticks: tuple[Tick, ...] = field(default=())
    claimed: float | None = None

    def words(self) -> str:
        """The drawing in one sentence."""
        said = [
            f"{self.metric} {percent(self.value)}"
            f" (95 % interval {percent(self.low)} to {percent(self.high)})",
            *(f"{tick.label} {percent(tick.value)}" for tick in self.ticks),
        ]
        if self.claimed is not None:
            said.append(f"claimed {percent(self.claimed)}")
        return "; ".join(said)


def percent(value: float) -> str:
    """A fraction as points out of 100 with one decimal."""
    return f"{100 * value:.1f}"


def small(line: ScoreLine) -> SafeString:
    """Without labels, for rows and tables."""
    middle = 9.0
    attributes: dict[str, Value] = {"class": f"score-line score-line-small hue-{line.hue}", "height": 18}
    ticks = [_tick(tick.value, middle - 5, middle + 5) for tick in line.ticks]
    return drawing(attributes, line.words(), "", _axis(middle), *ticks, *_measured(line, middle, 3, 9))


def large(line: ScoreLine) -> SafeString:
    """With an axis and every mark labelled."""
    middle, foot = 40.0, 62.0
    attributes: dict[str, Value] = {"class": f"score-line score-line-large hue-{line.hue}", "height": 104}
    parts = [_axis(middle), *_scale(middle)]
    for tick, row in zip(line.ticks, _rows([tick.value for tick in line.ticks]), strict=True):
        y = foot + 18 * row
        parts.append(_tick(tick.value, middle - 11, y))
        parts.append(_label(tick.value, y + 13, "s-label", f"{tick.label} {percent(tick.value)}"))
    parts += _measured(line, middle, 8, 20)
    parts.append(_label(line.value, 18, "s-value", percent(line.value)))
    return drawing(attributes, line.words(), "", *parts)


def _at(value: float) -> str:
    return f"{number(100 * min(1.0, max(0.0, value)))}%"


def _axis(y: float) -> SafeString:
    return element("line", {"class": "s-axis", "x1": "0%", "x2": "100%", "y1": y, "y2": y})


def _scale(y: float) -> list[SafeString]:
    """Marks at 0, 25, 50, 75 and 100; the ends are labelled."""
    marks = [
        element("line", {"class": "s-scale", "x1": _at(v), "x2": _at(v), "y1": y - 3, "y2": y + 3})
        for v in (0.0, 0.25, 0.5, 0.75, 1.0)
    ]
    ends = (("0", "0%", "start"), ("100", "100%", "end"))
    return marks + [
        element("text", {"class": "s-end", "x": x, "y": y - 8, "text_anchor": anchor}, label)
        for label, x, anchor in ends
    ]


def _tick(value: float, top: float, bottom: float) -> SafeString:
    return element("line", {"class": "s-tick", "x1": _at(value), "x2": _at(value), "y1": top, "y2": bottom})


def _measured(line: ScoreLine, middle: float, bar: float, mark: float) -> list[SafeString]:
    """The interval as a bar, the score as a mark across it, the claim as a ring."""
    low, high = max(0.0, line.low), min(1.0, line.high)
    interval: dict[str, Value] = {
        "class": "s-interval",
        "x": _at(low),
        "width": _at(max(high - low, 0.004)),
        "y": middle - bar / 2,
        "height": bar,
        "rx": bar / 4,
    }
    parts = [element("rect", interval), _mark(line.value, middle, mark)]
    if line.claimed is not None:
        parts.append(element("circle", {"class": "s-claim", "cx": _at(line.claimed), "cy": middle, "r": 3.5}))
    return parts


def _mark(value: float, middle: float, height: float) -> SafeString:
    """A fixed 3 px wide mark at a relative place: an inner svg carries the offset."""
    inner = element(
        "rect",
        {"class": "s-mark", "x": -1.5, "width": 3, "y": middle - height / 2, "height": height, "rx": 1.5},
    )
    return element("svg", {"x": _at(value), "overflow": "visible"}, inner)


def _label(value: float, y: float, name: str, text: str) -> SafeString:
    anchor = "start" if value < 0.15 else "end" if value > 0.85 else "middle"
    return element("text", {"class": name, "x": _at(value), "y": y, "text_anchor": anchor}, text)


def _rows(values: list[float]) -> list[int]:
    """The row of each label: the first where it does not touch one already placed."""
    placed: list[tuple[int, float]] = []
    for value in values:
        row = 0
        while any(r == row and abs(value - v) * 100 < _LABEL_ROOM for r, v in placed):
            row += 1
        placed.append((row, value))
    return [row for row, _ in placed]
