"""The one place where a finding becomes a row; the caller holds the run's claim or its lock."""

from hubsite.validation.models import Finding, Run, Step
from hubsite.validation.reports import Found


def write(run: Run, found: Found) -> None:
    """Write down what was found, at its step of the run."""
    Finding.objects.create(
        run=run,
        step=Step.objects.get(run=run, name=found.step),
        code=found.code,
        severity=found.severity,
        path=found.path[:512],
        detail=dict(found.detail),
    )
