"""Runs of dead workers come back at once, those of living and unknown ones when they fall silent."""

import subprocess
import sys
from datetime import timedelta

import pytest

from hubsite.accounts.models import User
from hubsite.core import clock
from hubsite.validation.models import Run, RunStatus
from hubsite.validation.services import runs
from tests.hubsite.validation.made import make_run
from workers.identity import own_name
from workers.maintenance import requeue_stale


def dead_name() -> str:
    """The name of a worker that has ended."""
    code = "from workers.identity import own_name; print(own_name())"
    return subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout.strip()


@pytest.mark.parametrize(
    ("worker", "status"), [("dead", "queued"), ("this", "running"), ("elsewhere", "running")]
)
def test_only_the_certainly_dead_lose_their_run_at_once(alice: User, worker: str, status: str) -> None:
    name = {"dead": dead_name(), "this": own_name(), "elsewhere": "other/0/1:2:3"}[worker]
    run = make_run(alice)
    assert runs.claim(run.id, name) is not None
    requeue_stale()
    run.refresh_from_db()
    assert run.status == status


def test_a_silent_stranger_loses_it_after_a_while(alice: User) -> None:
    run = make_run(alice)
    assert runs.claim(run.id, "other/0/1:2:3") is not None
    Run.objects.update(heartbeat_at=clock.now() - timedelta(hours=1))
    assert requeue_stale() == 1
    run.refresh_from_db()
    assert run.status == RunStatus.QUEUED
