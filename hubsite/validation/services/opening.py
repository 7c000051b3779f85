"""Opening a run for a new commit."""

from django.db import transaction

from hubsite.core import clock, task_names
from hubsite.core.queue import enqueue_after_commit
from hubsite.registry.models import Commit
from hubsite.validation.models import Run, Step
from hubsite.validation.steps import StepName


@transaction.atomic
def open_run(commit: Commit) -> Run:
    """The commit's run with its ten steps, queued; an existing run is returned as it is."""
    run, made = Run.objects.get_or_create(commit=commit, defaults={"woken_at": clock.now()})
    if made:
        Step.objects.bulk_create(Step(run=run, number=name.number, name=name) for name in StepName)
        enqueue_after_commit(task_names.VALIDATE, str(run.id))
    return run
