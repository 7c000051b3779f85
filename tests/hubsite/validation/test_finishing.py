"""A run ends once: published with its score, or failed with its reason."""

import pytest

from hubsite.accounts.models import User
from hubsite.registry.models import Backbone, CommitState, Ref, RefKind, RepoKind
from hubsite.registry.signals import commit_published
from hubsite.validation.models import BaselineKind, Run, RunStatus, Score, Severity, StepStatus, Suite
from hubsite.validation.reports import BaselineMeasurement, Found, Interval, Measurement
from hubsite.validation.services import baselines, runs
from hubsite.validation.services.scores import Compared
from hubsite.validation.steps import StepName
from tests.hubsite import factories
from tests.hubsite.validation.made import make_run, sentiment
from tests.hubsite.validation.test_claims import claimed

MEASURED = Measurement(Interval(0.9, 0.8, 1.0, 40), examples_per_second=120.0, device="cpu")


def make_suite(owner: User) -> Suite:
    repo = factories.make_repo(owner, "suite", RepoKind.DATASET)
    commit = factories.make_commit(repo, {"test.jsonl": b"{}"})
    return Suite.objects.create(
        slug="s", task=sentiment(), repo=repo, commit=commit, protocol="text-classification",
        metric="accuracy", labels=["negative", "positive"],
    )  # fmt: skip


def compared(suite: Suite) -> Compared:
    backbone = Backbone.objects.create(name="some/model")
    stored = {
        kind: baselines.store(
            suite, backbone, "f" * 40, BaselineMeasurement(kind, Interval(value, 0.4, 0.9, 40))
        )
        for kind, value in ((BaselineKind.MAJORITY, 0.5), (BaselineKind.PROBE, 0.7))
    }
    return Compared(suite, MEASURED, stored[BaselineKind.MAJORITY], stored[BaselineKind.PROBE], claimed=0.95)


def test_passing_publishes_with_the_score(alice: User) -> None:
    run = make_run(alice)
    runs.finish(claimed(run), passed=True, compared=[compared(make_suite(alice))])
    run.refresh_from_db()
    assert (run.status, run.commit.state, run.claim) == (RunStatus.PASSED, CommitState.PUBLISHED, "")
    score = Score.objects.get(commit=run.commit)
    assert (score.value, score.majority, score.probe, score.claimed) == (0.9, 0.5, 0.7, 0.95)
    assert run.steps.get(name=StepName.PUBLISH).status == StepStatus.PASSED
    assert Ref.objects.get(repo=run.commit.repo, kind=RefKind.TAG).name == "v1"


def test_failing_gives_the_first_error_as_the_reason(alice: User) -> None:
    run = make_run(alice)
    claim = claimed(run)
    note = Found(StepName.CONFIG, "card.missing", Severity.INFO)
    error = Found(
        StepName.HEADER, "header.overlap", Severity.ERROR, "a.safetensors", {"reason": "Two share bytes."}
    )
    runs.start_step(claim, StepName.HEADER)
    runs.add_finding(claim, note)
    runs.add_finding(claim, error)
    runs.finish(claim, passed=False)
    run.refresh_from_db()
    assert (run.status, run.commit.state) == (RunStatus.FAILED, CommitState.FAILED)
    assert run.commit.state_reason.startswith("a.safetensors: Two share bytes.")
    assert run.steps.get(name=StepName.HEADER).status == StepStatus.FAILED
    assert run.steps.get(name=StepName.PUBLISH).status == StepStatus.SKIPPED


def test_a_finish_that_breaks_leaves_nothing_behind(alice: User) -> None:
    """Score, publication and end are one transaction."""
    run = make_run(alice)
    claim = claimed(run)

    def refuse(sender: object, **_: object) -> None:
        raise LookupError("a receiver broke")

    commit_published.connect(refuse)
    try:
        with pytest.raises(LookupError):
            runs.finish(claim, passed=True, compared=[compared(make_suite(alice))])
    finally:
        commit_published.disconnect(refuse)
    run = Run.objects.get()
    assert (run.status, run.commit.state) == (RunStatus.RUNNING, CommitState.VALIDATING)
    assert not Score.objects.exists()
    runs.finish(claim, passed=True)
    assert Ref.objects.filter(kind=RefKind.TAG).count() == 1


def test_a_baseline_is_stored_once(alice: User) -> None:
    suite, backbone = make_suite(alice), Backbone.objects.create(name="some/model")
    first = BaselineMeasurement(BaselineKind.PROBE, Interval(0.7, 0.6, 0.8, 40))
    second = BaselineMeasurement(BaselineKind.PROBE, Interval(0.1, 0.0, 0.2, 40))
    kept = baselines.store(suite, backbone, "a" * 40, first)
    assert baselines.store(suite, backbone, "a" * 40, second) == kept
    assert kept.value == 0.7
