"""The end of a run: published or failed, exactly once, together with its scores."""

from collections.abc import Sequence

from hubsite.core import clock
from hubsite.registry.services import states
from hubsite.validation.models import Finding, Run, RunStatus, Severity, Step, StepStatus
from hubsite.validation.sentences import describe
from hubsite.validation.services import scores
from hubsite.validation.services.claims import Claim, held
from hubsite.validation.steps import StepName


def finish(claim: Claim, *, passed: bool, compared: Sequence[scores.Compared] = ()) -> None:
    """Publish the commit with its scores, or fail it with the first error's sentence, in one transaction.

    Raises ClaimLost when another worker holds the run, so that only one can ever finish it.
    """
    with held(claim) as run:
        if passed:
            _publish(run, compared)
        else:
            states.fail(run.commit, reason_of(run))
        close(run, RunStatus.PASSED if passed else RunStatus.FAILED)


def _publish(run: Run, compared: Sequence[scores.Compared]) -> None:
    began = clock.now()
    for one in compared:
        scores.record(run, one)
    states.publish(run.commit)
    took = clock.now() - began
    Step.objects.filter(run=run, name=StepName.PUBLISH).update(
        status=StepStatus.PASSED, started_at=began, duration_ms=round(took.total_seconds() * 1000)
    )


def close(run: Run, status: RunStatus) -> None:
    """Set the final state; the caller holds the row. Steps that never ran are skipped, a broken one fails."""
    steps = Step.objects.filter(run=run)
    steps.filter(status=StepStatus.PENDING).update(status=StepStatus.SKIPPED)
    steps.filter(status=StepStatus.RUNNING).update(status=StepStatus.FAILED)
    run.status = status
    run.claim = ""
    run.finished_at = clock.now()
    run.save(update_fields=["status", "claim", "finished_at"])


def reason_of(run: Run) -> str:
    """The sentence that explains a failure: the first error's."""
    error = Finding.objects.filter(run=run, severity=Severity.ERROR).order_by("step__number", "id").first()
    return describe(error) if error else "The validation failed."
