"""The tasks. They carry ids; the rows these name are the truth."""

import uuid

from celery import shared_task

from hubsite.core import task_names
from workers import maintenance
from workers.shutdown import stopping


@shared_task(name=task_names.VALIDATE, acks_late=True, ignore_result=True)  # type: ignore[untyped-decorator]
def validate_run(run_id: str) -> None:
    """Carry out one validation; limits and retries are its own (VALIDATION_SECONDS, VALIDATION_ATTEMPTS)."""
    from workers.validate import validate  # brings torch in, which a separate beat process never needs

    validate(uuid.UUID(run_id), stopping)


@shared_task(name=task_names.REQUEUE_STALE, acks_late=True, ignore_result=True)  # type: ignore[untyped-decorator]
def requeue_stale() -> None:
    """Take up what dead workers left."""
    maintenance.requeue_stale()
