"""What the bare backbone reaches on a suite: measured once, read by every score beside it."""

from hubsite.registry.models import Backbone
from hubsite.validation.models import Baseline, Suite
from hubsite.validation.reports import BaselineMeasurement


def store(suite: Suite, backbone: Backbone, backbone_sha: str, measured: BaselineMeasurement) -> Baseline:
    """Keep a baseline; when two workers measured the same one, the first stays (both are deterministic)."""
    result = measured.result
    baseline, _ = Baseline.objects.get_or_create(
        suite=suite,
        backbone=backbone,
        backbone_sha=backbone_sha,
        kind=measured.kind,
        defaults={
            "value": result.value,
            "low": result.low,
            "high": result.high,
            "examples": result.examples,
        },
    )
    return baseline
