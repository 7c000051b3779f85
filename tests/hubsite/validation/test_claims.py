"""One worker holds a run; nobody else can write to it."""

import threading
import uuid
from datetime import timedelta

import pytest
from django.db import connection

from hubsite.accounts.models import User
from hubsite.core import clock
from hubsite.registry.models import CommitState
from hubsite.validation.models import Run, RunStatus, Severity, StepStatus
from hubsite.validation.reports import Found
from hubsite.validation.services import runs
from hubsite.validation.services.claims import Claim
from hubsite.validation.steps import StepName
from tests.hubsite import factories
from tests.hubsite.validation.made import make_run

FOUND = Found(StepName.HEADER, "header.overlap", Severity.ERROR, "adapter.safetensors", {"reason": "x"})


def claimed(run: Run, worker: str = "one") -> Claim:
    claim = runs.claim(run.id, worker)
    assert claim is not None
    return claim


def test_a_claim_takes_the_run_and_starts_the_commit(alice: User) -> None:
    run = make_run(alice)
    claimed(run)
    run.refresh_from_db()
    assert (run.status, run.worker, run.attempts) == (RunStatus.RUNNING, "one", 1)
    assert run.commit.state == CommitState.VALIDATING
    assert run.started_at is not None


def test_a_held_run_cannot_be_claimed(alice: User) -> None:
    run = make_run(alice)
    claimed(run)
    assert runs.claim(run.id, "two") is None


def test_an_unknown_run_cannot_be_claimed(db: None) -> None:
    assert runs.claim(uuid.uuid4(), "one") is None


def test_a_run_is_not_taken_before_its_time(alice: User) -> None:
    run = make_run(alice)
    Run.objects.update(not_before=clock.now() + timedelta(minutes=1))
    assert runs.claim(run.id, "one") is None
    Run.objects.update(not_before=clock.now() - timedelta(minutes=1))
    assert runs.claim(run.id, "one") is not None


def test_a_published_commit_is_not_validated_again(alice: User) -> None:
    run = make_run(alice)
    factories.publish(run.commit)
    assert runs.claim(run.id, "one") is None


def test_a_new_attempt_forgets_what_the_last_one_wrote(alice: User) -> None:
    run = make_run(alice)
    first = claimed(run)
    runs.start_step(first, StepName.HEADER)
    runs.append_log(first, StepName.HEADER, "half a header")
    runs.add_finding(first, FOUND)
    runs.hand_back(first)
    claimed(run, "two")
    step = run.steps.get(name=StepName.HEADER)
    assert (step.status, step.log, step.started_at) == (StepStatus.PENDING, "", None)
    assert not run.findings.exists()


@pytest.mark.parametrize("taken", ["handed back", "finished", "taken by another"])
def test_a_lost_claim_writes_nothing(alice: User, taken: str) -> None:
    run = make_run(alice)
    old = claimed(run)
    if taken == "finished":
        runs.finish(old, passed=True)
    else:
        runs.hand_back(old)
    if taken == "taken by another":
        claimed(run, "two")
    before = Run.objects.values().get()
    for write in (
        lambda: runs.heartbeat(old),
        lambda: runs.start_step(old, StepName.LAYOUT),
        lambda: runs.finish_step(old, StepName.LAYOUT, passed=True, duration_ms=1),
        lambda: runs.append_log(old, StepName.LAYOUT, "late"),
        lambda: runs.add_finding(old, FOUND),
        lambda: runs.finish(old, passed=False),
        lambda: runs.hand_back(old),
        lambda: runs.retry_later(old, FOUND),
    ):
        with pytest.raises(runs.ClaimLost):
            write()
    assert Run.objects.values().get() == before
    assert not run.findings.exists()


@pytest.mark.django_db(transaction=True)
def test_of_many_workers_one_gets_the_run() -> None:
    if connection.vendor == "sqlite" and "memory" in str(connection.settings_dict["NAME"]):
        pytest.skip("an in-memory SQLite cannot be shared by threads; `make test-services` runs this")
    run = make_run(factories.make_user("alice"))
    barrier = threading.Barrier(4)
    got: list[Claim | None] = []

    def work(name: str) -> None:
        barrier.wait()
        got.append(runs.claim(run.id, name))
        connection.close()

    threads = [threading.Thread(target=work, args=(str(number),)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len([claim for claim in got if claim]) == 1
    run.refresh_from_db()
    assert run.attempts == 1
