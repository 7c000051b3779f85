"""Looking after runs that nobody looks after any more."""

from hubsite.validation.models import Run, RunStatus
from hubsite.validation.services import runs
from workers.identity import is_gone


def requeue_stale() -> int:
    """Take back the runs of workers that ended on this machine or fell silent anywhere; wake lost ones."""
    holders = Run.objects.filter(status=RunStatus.RUNNING).values_list("worker", flat=True).distinct()
    released = sum(runs.release_of(worker) for worker in list(holders) if is_gone(worker))
    return released + runs.release_stale()
