"""What pages and API read of runs and scores, as plain records."""

import uuid
from dataclasses import dataclass
from datetime import datetime

from hubsite.accounts.actors import Actor
from hubsite.accounts.permissions import Permission, allows
from hubsite.core.errors import NotFound
from hubsite.registry.models import CommitState
from hubsite.validation.models import Finding, Run, Score, Step
from hubsite.validation.sentences import SENTENCES, say
from hubsite.validation.steps import StepName


@dataclass(frozen=True)
class FindingView:
    """A finding in words."""

    code: str
    severity: str
    step: str
    path: str
    sentence: str
    advice: str
    # Who must act: author, hub or nobody.
    actor: str


@dataclass(frozen=True)
class StepView:
    """One step of a run; durations in milliseconds."""

    number: int
    name: str
    title: str
    status: str
    duration_ms: int | None
    log: str
    findings: tuple[FindingView, ...]


@dataclass(frozen=True)
class ScoreView:
    """A verified score with what stands beside it; all values are fractions from 0 to 1."""

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


@dataclass(frozen=True)
class RunView:
    """A whole run. `state` is the commit's, `status` the run's own."""

    id: str
    repo: str
    revision: str
    status: str
    state: str
    reason: str
    attempts: int
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    steps: tuple[StepView, ...]
    findings: tuple[FindingView, ...]
    scores: tuple[ScoreView, ...]

    @property
    def finished(self) -> bool:
        """Whether nothing will change any more."""
        return self.finished_at is not None

    @property
    def steps_done(self) -> int:
        """How many steps are over, for a progress bar."""
        return sum(step.status not in {"pending", "running"} for step in self.steps)


def find_run(actor: Actor, run_id: str) -> Run:
    """The run of this id; NotFound when there is none or the actor may not see it (the same answer)."""
    absent = NotFound(f"There is no validation run {run_id!r}.")
    try:
        key = uuid.UUID(run_id)
    except ValueError:
        raise absent from None
    run = Run.objects.select_related("commit__repo__namespace").filter(id=key).first()
    if run is None or not may_see(actor, run):
        raise absent
    return run


def may_see(actor: Actor, run: Run) -> bool:
    """A published commit's run is seen by all who see the repo, any other by whoever may write it."""
    published = run.commit.state == CommitState.PUBLISHED
    return allows(actor, Permission.READ_REPO if published else Permission.WRITE_REPO, run.commit.repo)


def run_view(run: Run, actor: Actor) -> RunView:
    """All of a run in words; NotFound when the actor may not see it."""
    if not may_see(actor, run):
        raise NotFound(f"There is no validation run {str(run.id)!r}.")
    findings = [
        (one.step_id, _finding_view(one)) for one in run.findings.select_related("step").order_by("id")
    ]
    return RunView(
        id=str(run.id),
        repo=run.commit.repo.full_name,
        revision=run.commit.sha,
        status=run.status,
        state=run.commit.state,
        reason=run.commit.state_reason,
        attempts=run.attempts,
        created_at=run.created_at,
        started_at=run.started_at,
        finished_at=run.finished_at,
        steps=tuple(
            _step_view(step, tuple(view for step_id, view in findings if step_id == step.pk))
            for step in run.steps.all()
        ),
        findings=tuple(view for _, view in findings),
        scores=tuple(score_view(score) for score in run.scores.select_related("suite__task")),
    )


def score_view(score: Score) -> ScoreView:
    """A score as a plain record."""
    return ScoreView(
        suite=score.suite.slug,
        suite_version=score.suite.version,
        task=score.suite.task.slug,
        metric=score.metric,
        value=score.value,
        low=score.low,
        high=score.high,
        examples=score.examples,
        examples_per_second=score.examples_per_second,
        device=score.device,
        majority=score.majority,
        probe=score.probe,
        claimed=score.claimed,
    )


def _step_view(step: Step, findings: tuple[FindingView, ...]) -> StepView:
    title = StepName(step.name).heading
    return StepView(step.number, step.name, title, step.status, step.duration_ms, step.log, findings)


def _finding_view(finding: Finding) -> FindingView:
    known = SENTENCES.get(finding.code)
    return FindingView(
        code=finding.code,
        severity=finding.severity,
        step=finding.step.name,
        path=finding.path,
        sentence=say(finding.code, finding.path, finding.detail),
        advice=known.advice if known else "",
        actor=known.actor if known else "hub",
    )
