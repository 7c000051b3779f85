"""What a worker reports while it works: steps, their logs, findings. Each write is guarded by its claim."""

from hubsite.core import clock
from hubsite.validation.models import Severity, Step, StepStatus
from hubsite.validation.reports import Found
from hubsite.validation.services import findings
from hubsite.validation.services.claims import Claim, held
from hubsite.validation.steps import StepName

# Bounds on what one run may write, so that an upload cannot fill the database.
MAX_LOG = 20_000
MAX_FINDINGS = 100


def start_step(claim: Claim, name: StepName) -> None:
    """Mark a step as running."""
    with held(claim) as run:
        Step.objects.filter(run=run, name=name).update(status=StepStatus.RUNNING, started_at=clock.now())


def finish_step(claim: Claim, name: StepName, *, passed: bool, duration_ms: int) -> None:
    """Mark a step as passed or failed."""
    status = StepStatus.PASSED if passed else StepStatus.FAILED
    with held(claim) as run:
        Step.objects.filter(run=run, name=name).update(status=status, duration_ms=duration_ms)


def append_log(claim: Claim, name: StepName, text: str) -> None:
    """Add a line to a step's log; beyond MAX_LOG characters it is cut."""
    with held(claim) as run:
        step = Step.objects.get(run=run, name=name)
        step.log = f"{step.log}{text}\n"[:MAX_LOG]
        step.save(update_fields=["log"])


def add_finding(claim: Claim, found: Found) -> None:
    """Write down a finding; the first MAX_FINDINGS of a run are kept, and every error."""
    with held(claim) as run:
        if found.severity != Severity.ERROR and run.findings.count() >= MAX_FINDINGS:
            return
        findings.write(run, found)
