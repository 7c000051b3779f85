"""What was found, as a table in docs/results.md and a plot in docs/results-quality.svg."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bench.quality.contenders import FULL, HEAD, PROBE, Contender, contenders
from bench.quality.outcomes import Outcome
from bench.quality.plot import Bar, drawn
from bench.quality.texts import SETS

Answers = NDArray[np.float64]
Rows = NDArray[np.int64]

_DRAWS = 2000


def write(outcomes: Sequence[Outcome], docs: Path) -> None:
    """Put the table between its marks in results.md and draw the plot beside it."""
    lines = lines_of(outcomes)
    put(docs / "results.md", "quality", table(lines))
    bars = [Bar(line.name, line.mean, line.low, line.high) for line in lines if line.is_whole]
    (docs / "results-quality.svg").write_text(drawn(bars), encoding="utf-8")


def put(page: Path, mark: str, text: str) -> None:
    """Write a text between the marks `<!-- MARK: begin -->` and `<!-- MARK: end -->` of a page."""
    begin, end = f"<!-- {mark}: begin -->", f"<!-- {mark}: end -->"
    before, _, rest = page.read_text(encoding="utf-8").partition(begin)
    page.write_text(f"{before}{begin}\n\n{text}\n{end}{rest.partition(end)[2]}", encoding="utf-8")


class Line:
    """One contender over all sets and seeds, at its shipped rate."""

    def __init__(self, contender: Contender, outcomes: Sequence[Outcome], full: "Line | None") -> None:
        self.name, self.rate = contender.name, contender.learning_rate
        # set → [seeds, rows]: 1 where an answer was right
        self.right = {name: _answers(outcomes, name) for name in SETS}
        self.seeds = {name: len(found) for name, found in self.right.items()}
        self.is_whole = all(self.seeds.values())
        self.outcomes = outcomes
        self.full = full
        self.mean = float(np.mean([self.accuracy(name) for name in SETS])) if self.is_whole else float("nan")
        self.low, self.high = self._interval()

    def accuracy(self, name: str) -> float:
        """In percent, the mean over the seeds."""
        return 100 * float(self.right[name].mean()) if self.seeds[name] else float("nan")

    def against(self, other: "Line") -> tuple[float, float, float]:
        """Points above another, and the 95 % interval of that: the same rows are drawn for both."""
        return self.mean - other.mean, *_middle(_resampled(self, other))

    def _interval(self) -> tuple[float, float]:
        return _middle(_resampled(self)) if self.is_whole else (float("nan"), float("nan"))


def lines_of(outcomes: Sequence[Outcome]) -> list[Line]:
    """One line per contender that has been run at the rate it is shipped with, on the test splits."""
    found: list[Line] = []
    full: Line | None = None
    for contender in contenders():
        own = [
            o
            for o in outcomes
            if o.plan.contender == contender.name
            and o.plan.learning_rate == contender.learning_rate
            and o.plan.split == "test"
        ]
        if own:
            line = Line(contender, own, full)
            found.append(line)
            full = line if contender.name == FULL else full
    return found


def table(lines: Sequence[Line]) -> str:
    """The table in Markdown."""
    heads = ["method", "rate", *SETS, "mean (95 %)", "against full", "trained", "ms/step", "seeds"]
    rows = [heads, ["---"] * len(heads), *(_row(line) for line in lines)]
    return "".join("| " + " | ".join(row) + " |\n" for row in rows)


def _row(line: Line) -> list[str]:
    sizes = [o.parameters for o in line.outcomes if o.plan.text_set == "sst2"]
    steps = [1000 * o.seconds_per_step for o in line.outcomes]
    mean = f"{line.mean:.1f} ({line.low:.1f}–{line.high:.1f})" if line.is_whole else "not all sets yet"
    full = line.full if line.is_whole and line.full and line.full.is_whole else None
    return [
        line.name if line.name in (FULL, HEAD, PROBE) else f"`{line.name}`",
        f"{line.rate:g}" if line.rate else "",
        *(f"{line.accuracy(name):.1f}" if line.seeds[name] else "" for name in SETS),
        mean,
        "{:+.1f} ({:+.1f} to {:+.1f})".format(*line.against(full)) if full else "",
        f"{sizes[0]:,}" if sizes else "",
        f"{np.median(steps):.0f}" if line.rate else "",
        str(min(line.seeds.values())),
    ]


def _answers(outcomes: Sequence[Outcome], name: str) -> Answers:
    """[seeds, rows], the seeds in order."""
    own = sorted((o for o in outcomes if o.plan.text_set == name), key=lambda o: o.plan.seed)
    return np.array([o.answers() for o in own], dtype=float)


def _resampled(line: Line, other: Line | None = None) -> Answers:
    """The mean over the sets (less the other's), in percent, rows and seeds drawn again: [draws]."""
    draw = np.random.default_rng(0)
    found = np.zeros(_DRAWS)
    for name in SETS:
        count = line.right[name].shape[1]
        for i in range(_DRAWS):
            rows: Rows = draw.integers(0, count, size=(count,), dtype=np.int64)
            found[i] += _drawn_mean(line.right[name], rows, draw)
            if other is not None:
                found[i] -= _drawn_mean(other.right[name], rows, draw)
    return 100 * found / len(SETS)


def _drawn_mean(right: Answers, rows: Rows, draw: np.random.Generator) -> float:
    seeds = draw.integers(0, len(right), size=(len(right),))
    return float(right[seeds][:, rows].mean())


def _middle(draws: Answers) -> tuple[float, float]:
    low, high = np.quantile(draws, (0.025, 0.975))
    return float(low), float(high)
