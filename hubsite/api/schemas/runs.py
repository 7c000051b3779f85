"""What `/runs` answers."""

from ninja import Schema
from pydantic import Field

from hubsite.api.schemas.fields import Moment


class Finding(Schema):
    """Something a check saw, in words."""

    code: str
    severity: str
    step: str
    path: str
    sentence: str
    advice: str
    actor: str = Field(description="Who must act: author, hub or nobody.")


class Step(Schema):
    """One of the ten steps; durations in milliseconds."""

    number: int
    name: str
    title: str
    status: str
    duration_ms: int | None
    log: str
    findings: list[Finding]


class RunScore(Schema):
    """A score measured by this run; values are fractions from 0 to 1."""

    suite: str
    suite_version: int
    task: str
    metric: str
    value: float
    low: float
    high: float
    examples: int
    examples_per_second: float
    device: str
    majority: float
    probe: float
    claimed: float | None


class RunAnswer(Schema):
    """A validation run. `status` is the run's, `state` the commit's."""

    id: str
    repo: str
    revision: str
    status: str
    state: str
    reason: str
    finished: bool
    attempts: int
    created_at: Moment
    started_at: Moment | None
    finished_at: Moment | None
    steps_done: int
    steps: list[Step]
    findings: list[Finding]
    scores: list[RunScore]
