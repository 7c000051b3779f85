"""A number that the hub measured, beside what the bare backbone reaches and what the author claimed."""

from dataclasses import dataclass

from hubsite.validation.models import Baseline, Run, Score, Suite
from hubsite.validation.reports import Measurement


@dataclass(frozen=True)
class Compared:
    """A measurement with all that stands beside it on the page."""

    suite: Suite
    measured: Measurement
    majority: Baseline
    probe: Baseline
    claimed: float | None


def record(run: Run, compared: Compared) -> Score:
    """Write the score of the run's commit on one suite."""
    result = compared.measured.result
    return Score.objects.create(
        commit=run.commit,
        run=run,
        suite=compared.suite,
        metric=compared.suite.metric,
        value=result.value,
        low=result.low,
        high=result.high,
        examples=result.examples,
        examples_per_second=compared.measured.examples_per_second,
        device=compared.measured.device,
        majority=compared.majority.value,
        probe=compared.probe.value,
        claimed=compared.claimed,
    )
