"""The checks, one per step, each made known by one call at the end of its file."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from hubsite.validation.steps import StepName
from workers.report import Report
from workers.subject import Subject


class Phase(StrEnum):
    """What a check needs: the commit's bytes alone, or the backbone in memory. Each phase is one child."""

    BYTES = "bytes"
    MODEL = "model"


@dataclass(frozen=True)
class Check:
    """One step's work: it reads the subject and reports; a user's fault is a finding and never raises."""

    step: StepName
    phase: Phase
    run: Callable[[Subject, Report], None]


_CHECKS: dict[StepName, Check] = {}


def register(step: StepName, phase: Phase, run: Callable[[Subject, Report], None]) -> None:
    """Make a check known; a step has one check."""
    if step in _CHECKS:
        raise ValueError(f"The step {step} has a check already; known are {', '.join(_CHECKS)}.")
    _CHECKS[step] = Check(step, phase, run)


def checks(phase: Phase) -> list[Check]:
    """The checks of a phase, in the order of their steps."""
    return [_CHECKS[step] for step in StepName if step in _CHECKS and _CHECKS[step].phase == phase]
