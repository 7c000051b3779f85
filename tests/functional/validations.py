"""Plays the worker: takes a run through its steps with the services a worker uses, and no model."""

from dataclasses import dataclass

from hubsite.registry.models import Backbone, Card
from hubsite.validation.models import Baseline, BaselineKind, Run, Severity, Suite
from hubsite.validation.reports import BaselineMeasurement, Found, Interval, Measurement
from hubsite.validation.services import baselines, runs
from hubsite.validation.services.scores import Compared
from hubsite.validation.steps import StepName

# Milliseconds as a real run on two cores takes them.
TIMES = dict(zip(StepName, (3, 2, 6, 4, 41, 870, 212, 3460, 5, 18), strict=True))
_LOGS = {
    StepName.HEADER: "24 tensors, 295 kB, all F16",
    StepName.LOAD: "matched 24, missing 0, unexpected 0, wrong shape 0",
    StepName.EVALUATE: "accuracy on sentiment-sentences v1: 400 examples, 115.6 per second on cpu",
}


@dataclass(frozen=True)
class Scored:
    """A score with its interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Outcome:
    """What the evaluation finds; nothing without a suite."""

    suite: Suite | None = None
    scored: Scored | None = None
    claimed: float | None = None


def pass_run(run: Run, outcome: Outcome) -> None:
    """All ten steps, then publication."""
    claim = _claim(run)
    for name in list(StepName)[:-1]:
        _step(claim, name, passed=True)
    if outcome.suite is None:
        detail = {"task": "this task"}
        runs.add_finding(claim, Found(StepName.EVALUATE, "evaluate.no_suite", Severity.INFO, detail=detail))
    runs.finish(claim, passed=True, compared=measure(run, outcome))


def fail(run: Run, at: StepName, found: Found) -> None:
    """The steps up to `at`, which finds `found`."""
    claim = _claim(run)
    for name in StepName:
        if name is at:
            break
        _step(claim, name, passed=True)
    runs.start_step(claim, at)
    runs.add_finding(claim, found)
    runs.finish_step(claim, at, passed=False, duration_ms=TIMES[at])
    runs.finish(claim, passed=False)


def start(run: Run, done: int) -> runs.Claim:
    """The first `done` steps, with the next one running."""
    claim = _claim(run)
    names = list(StepName)
    for name in names[:done]:
        _step(claim, name, passed=True)
    runs.start_step(claim, names[done])
    return claim


def measure(run: Run, outcome: Outcome) -> list[Compared]:
    """The score beside its baselines, as the evaluation hands it over."""
    if outcome.suite is None or outcome.scored is None:
        return []
    scored = outcome.scored
    backbone = Card.objects.select_related("backbone").get(commit=run.commit).backbone
    assert backbone is not None
    measured = Measurement(Interval(scored.value, scored.low, scored.high, 400), 115.6, "cpu")
    majority = _baseline(outcome.suite, backbone, BaselineKind.MAJORITY, 0.5)
    probe = _baseline(outcome.suite, backbone, BaselineKind.PROBE, 0.843)
    return [Compared(outcome.suite, measured, majority, probe, outcome.claimed)]


def _baseline(suite: Suite, backbone: Backbone, kind: BaselineKind, value: float) -> Baseline:
    interval = Interval(value, value - 0.03, value + 0.03, 400)
    return baselines.store(suite, backbone, "", BaselineMeasurement(kind, interval))


def _claim(run: Run) -> runs.Claim:
    claim = runs.claim(run.id, "tests")
    assert claim is not None
    return claim


def _step(claim: runs.Claim, name: StepName, *, passed: bool) -> None:
    runs.start_step(claim, name)
    if name in _LOGS:
        runs.append_log(claim, name, _LOGS[name])
    runs.finish_step(claim, name, passed=passed, duration_ms=TIMES[name])
