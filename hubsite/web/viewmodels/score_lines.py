"""Scores as drawings and sentences."""

from dataclasses import dataclass
from typing import Protocol

from django.utils.safestring import SafeString

from hubsite.web.comparison import Measured, compare
from hubsite.web.drawings import score_line
from hubsite.web.drawings.score_line import ScoreLine, Tick


class ScoreNumbers(Protocol):
    """What a list row's score and a page's score have in common; fractions from 0 to 1."""

    @property
    def metric(self) -> str: ...
    @property
    def value(self) -> float: ...
    @property
    def low(self) -> float: ...
    @property
    def high(self) -> float: ...
    @property
    def majority(self) -> float: ...
    @property
    def probe(self) -> float: ...
    @property
    def claimed(self) -> float | None: ...
    @property
    def examples(self) -> int: ...


@dataclass(frozen=True)
class ScoreFigure:
    """A score on the adapter page: drawing, sentences, and `score` for the table behind it."""

    score: ScoreNumbers
    drawing: SafeString
    hue: str
    sentences: tuple[str, ...]


def line_of(score: ScoreNumbers, hue: str) -> ScoreLine:
    """The score with its two baselines as a score line in a method's hue."""
    ticks = (Tick("majority class", score.majority), Tick("linear probe", score.probe))
    return ScoreLine(score.metric, score.value, score.low, score.high, hue, ticks, score.claimed)


def figure_of(score: ScoreNumbers, hue: str) -> ScoreFigure:
    """The large drawing and what it means in plain words."""
    measured = Measured(score.value, score.low, score.high)
    sentences = (
        compare(measured, score.probe, "the linear probe on the bare backbone"),
        compare(measured, score.majority, "the majority class"),
    )
    return ScoreFigure(score, score_line.large(line_of(score, hue)), hue, sentences)
