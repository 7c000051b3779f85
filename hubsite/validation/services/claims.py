"""Who may write to a run: the worker whose random word stands in its row, and nobody else."""

import secrets
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from django.db import transaction
from django.db.models import F, Q
from django.db.models.functions import Coalesce

from hubsite.core import clock
from hubsite.core.errors import Conflict
from hubsite.registry.models import Commit, CommitState
from hubsite.registry.services import states
from hubsite.validation.models import Finding, Run, RunStatus, Step, StepStatus


@dataclass(frozen=True)
class Claim:
    """The right to work on one run, until somebody else takes it."""

    run_id: uuid.UUID
    word: str


class ClaimLost(Conflict):
    """The run belongs to another worker by now, or is finished; what this one holds is void."""

    def __init__(self, claim: Claim) -> None:
        super().__init__(f"Run {claim.run_id} is no longer held by this worker; its work is dropped.")


def claim(run_id: uuid.UUID, worker: str) -> Claim | None:
    """Take a queued run whose time has come, by one conditional update; None when it cannot be taken.

    What an earlier attempt wrote is cleared: a run tells of its last attempt alone.
    """
    now = clock.now()
    word = secrets.token_hex(16)
    due = Q(not_before=None) | Q(not_before__lte=now)
    with transaction.atomic():
        # What is published does not change, so there is nothing to find out about it.
        if Commit.objects.filter(run=run_id, state=CommitState.PUBLISHED).exists():
            return None
        # Conditions on the row itself only: with a join, PostgreSQL looks at the status in a subquery that
        # it does not repeat after waiting for another worker's update, and both would get the run.
        taken = Run.objects.filter(due, id=run_id, status=RunStatus.QUEUED).update(
            status=RunStatus.RUNNING,
            claim=word,
            worker=worker[:120],
            heartbeat_at=now,
            started_at=Coalesce("started_at", now),
            attempts=F("attempts") + 1,
        )
        if not taken:
            return None
        run = Run.objects.select_related("commit").get(id=run_id)
        Finding.objects.filter(run=run).delete()
        Step.objects.filter(run=run).update(
            status=StepStatus.PENDING, started_at=None, duration_ms=None, log=""
        )
        states.start_validation(run.commit)
    return Claim(run_id, word)


@contextmanager
def held(claim: Claim) -> Iterator[Run]:
    """The run's row, locked, inside a transaction; raises ClaimLost if the claim is not good any more."""
    with transaction.atomic():
        run = (
            Run.objects.select_for_update(of=("self",))
            .select_related("commit__repo__namespace")
            .filter(id=claim.run_id, claim=claim.word, status=RunStatus.RUNNING)
            .first()
        )
        if run is None:
            raise ClaimLost(claim)
        yield run


def heartbeat(claim: Claim) -> None:
    """Say that the worker is alive; raises ClaimLost when the run was taken away."""
    alive = Run.objects.filter(id=claim.run_id, claim=claim.word, status=RunStatus.RUNNING)
    if not alive.update(heartbeat_at=clock.now()):
        raise ClaimLost(claim)
