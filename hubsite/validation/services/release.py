"""Runs that a worker lets go of, or that a dead worker left behind."""

import uuid
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Q, QuerySet

from hubsite.core import clock, task_names
from hubsite.core.queue import enqueue_after_commit
from hubsite.registry.models import CommitState
from hubsite.registry.services import states
from hubsite.validation.models import Finding, Run, RunStatus, Severity, Step
from hubsite.validation.reports import Found
from hubsite.validation.sentences import describe
from hubsite.validation.services import findings
from hubsite.validation.services.claims import Claim, held
from hubsite.validation.services.finishing import close
from hubsite.validation.steps import StepName

# A waiting run's message is sent again after this long: a folder as broker loses what a dead worker took.
WAKE_AGAIN = timedelta(seconds=30)
# So many of the oldest waiting runs are looked at per round, so that a long queue is not doubled each time.
WAKE_BATCH = 20
LONGEST_WAIT = timedelta(minutes=10)


def hand_back(claim: Claim) -> None:
    """Return an unfinished run to the queue: the worker is told to stop. This attempt does not count."""
    with held(claim) as run:
        _queue(run, attempts=max(run.attempts - 1, 0), wait=timedelta(0))


def retry_later(claim: Claim, found: Found) -> None:
    """The hub itself was at fault: try again after a growing pause, or stop for good with the reason."""
    with held(claim) as run:
        findings.write(run, found)
        _retry(run)


def release_stale() -> int:
    """Take back runs whose worker has gone silent and wake runs whose message was lost; returns how many."""
    silent_since = clock.now() - timedelta(seconds=settings.VALIDATION_STALE_SECONDS)
    stale = Run.objects.filter(status=RunStatus.RUNNING, heartbeat_at__lt=silent_since)
    return _release(stale, code="hub.worker_lost") + _wake()


def release_of(worker: str) -> int:
    """Take back what a worker that is known to be dead was doing; returns how many runs that were."""
    return _release(Run.objects.filter(status=RunStatus.RUNNING, worker=worker), code="hub.worker_lost")


def _release(runs: QuerySet[Run], *, code: str) -> int:
    released = 0
    for run_id in list(runs.values_list("id", flat=True)):
        with transaction.atomic():
            # Looked at again under the lock: its worker may have spoken or finished since.
            run = (
                runs.select_for_update(of=("self",))
                .select_related("commit__repo__namespace")
                .filter(id=run_id)
                .first()
            )
            if run is None:
                continue
            _note_loss(run, code)
            _retry(run)
            released += 1
    return released


def _note_loss(run: Run, code: str) -> None:
    started = Step.objects.filter(run=run, started_at__isnull=False).order_by("-number").first()
    step = StepName(started.name) if started else StepName.LAYOUT
    findings.write(run, Found(step, code, Severity.ERROR))


def _retry(run: Run) -> None:
    if run.attempts < settings.VALIDATION_ATTEMPTS:
        pause = timedelta(seconds=2 ** (run.attempts - 1)) if run.attempts < 12 else LONGEST_WAIT
        _queue(run, attempts=run.attempts, wait=min(pause, LONGEST_WAIT))
        return
    last = Finding.objects.filter(run=run, severity=Severity.ERROR).order_by("-id").first()
    states.fail(run.commit, describe(last) if last else "The hub could not finish this validation.")
    close(run, RunStatus.DEAD)


def _queue(run: Run, *, attempts: int, wait: timedelta) -> None:
    now = clock.now()
    run.status = RunStatus.QUEUED
    run.claim = run.worker = ""
    run.attempts = attempts
    run.not_before = now + wait
    run.woken_at = None
    run.save(update_fields=["status", "claim", "worker", "attempts", "not_before", "woken_at"])


def _wake() -> int:
    """Send the messages of waiting runs whose time has come and that have heard nothing for WAKE_AGAIN."""
    now = clock.now()
    due = Q(not_before=None) | Q(not_before__lte=now)
    waiting = Run.objects.filter(due, _unheard(now), status=RunStatus.QUEUED).order_by("created_at")
    waiting = waiting.exclude(commit__state=CommitState.PUBLISHED)
    return sum(_wake_one(run_id, now) for run_id in list(waiting.values_list("id", flat=True)[:WAKE_BATCH]))


def _wake_one(run_id: uuid.UUID, now: datetime) -> int:
    with transaction.atomic():
        woken = Run.objects.filter(_unheard(now), id=run_id, status=RunStatus.QUEUED).update(woken_at=now)
        if woken:
            enqueue_after_commit(task_names.VALIDATE, str(run_id))
    return woken


def _unheard(now: datetime) -> Q:
    return Q(woken_at=None) | Q(woken_at__lt=now - WAKE_AGAIN)
