"""What a dead worker leaves is taken up again, a bounded number of times."""

from datetime import timedelta

import pytest
from pytest_django import DjangoCaptureOnCommitCallbacks, Settings

from hubsite.accounts.models import User
from hubsite.core import clock
from hubsite.registry.models import CommitState
from hubsite.validation.models import Run, RunStatus, Severity, StepStatus
from hubsite.validation.reports import Found
from hubsite.validation.services import runs
from hubsite.validation.steps import StepName
from tests.hubsite.validation.made import make_run
from tests.hubsite.validation.test_claims import claimed

OURS = Found(
    StepName.LOAD, "hub.backbone_unavailable", Severity.ERROR, "", {"backbone": "a/b", "reason": "down"}
)


def fall_silent(seconds: int = 3600) -> None:
    Run.objects.update(heartbeat_at=clock.now() - timedelta(seconds=seconds))


def test_a_silent_run_goes_back_to_the_queue(alice: User) -> None:
    run = make_run(alice)
    claim = claimed(run)
    fall_silent()
    assert runs.release_stale() == 1
    run.refresh_from_db()
    assert (run.status, run.attempts, run.claim) == (RunStatus.QUEUED, 1, "")
    assert run.not_before is not None
    assert run.not_before > clock.now()
    with pytest.raises(runs.ClaimLost):
        runs.finish(claim, passed=True)


def test_a_living_run_is_left_alone(alice: User) -> None:
    run = make_run(alice)
    claim = claimed(run)
    fall_silent()
    runs.heartbeat(claim)
    assert runs.release_stale() == 0
    run.refresh_from_db()
    assert run.status == RunStatus.RUNNING


def test_after_all_attempts_the_run_is_dead_and_says_why(alice: User, settings: Settings) -> None:
    settings.VALIDATION_ATTEMPTS = 2
    run = make_run(alice)
    for _ in range(2):
        Run.objects.update(not_before=None)
        runs.start_step(claimed(run), StepName.LOAD)
        fall_silent()
        runs.release_stale()
    run.refresh_from_db()
    assert (run.status, run.commit.state) == (RunStatus.DEAD, CommitState.FAILED)
    assert "stopped in the middle" in run.commit.state_reason
    assert run.steps.get(name=StepName.LOAD).status == StepStatus.FAILED
    assert runs.release_stale() == 0


def test_the_hubs_own_fault_is_tried_again_later(alice: User) -> None:
    run = make_run(alice)
    waits = []
    for _ in range(3):
        Run.objects.update(not_before=None)
        runs.retry_later(claimed(run), OURS)
        run.refresh_from_db()
        assert run.status == RunStatus.QUEUED
        assert run.not_before is not None
        waits.append((run.not_before - clock.now()).total_seconds())
    assert waits == sorted(waits)
    assert waits[2] > 2
    assert run.findings.get().code == "hub.backbone_unavailable"


def test_a_stopping_worker_costs_no_attempt(alice: User) -> None:
    run = make_run(alice)
    runs.hand_back(claimed(run))
    run.refresh_from_db()
    assert (run.status, run.attempts) == (RunStatus.QUEUED, 0)
    assert runs.claim(run.id, "two") is not None


def test_the_runs_of_a_worker_known_to_be_dead_come_back_at_once(alice: User) -> None:
    mine, other = make_run(alice, "mine"), make_run(alice, "other")
    claimed(mine, "dead")
    claimed(other, "alive")
    assert runs.release_of("dead") == 1
    mine.refresh_from_db()
    other.refresh_from_db()
    assert (mine.status, other.status) == (RunStatus.QUEUED, RunStatus.RUNNING)


def test_a_lost_message_is_sent_again_but_not_at_once(
    alice: User, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    make_run(alice)
    with django_capture_on_commit_callbacks() as sent:
        assert runs.release_stale() == 0
    assert sent == []
    Run.objects.update(woken_at=clock.now() - timedelta(minutes=1))
    with django_capture_on_commit_callbacks() as sent:
        assert runs.release_stale() == 1
        assert runs.release_stale() == 0
    assert len(sent) == 1


def test_what_is_handed_back_is_woken_in_the_next_round(
    alice: User, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    run = make_run(alice)
    runs.hand_back(claimed(run))
    with django_capture_on_commit_callbacks() as sent:
        runs.release_stale()
    assert len(sent) == 1
    assert run.steps.filter(status=StepStatus.PENDING).count() == 10
