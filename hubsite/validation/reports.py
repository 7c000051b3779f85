"""What a worker hands to the services: findings and measurements, as plain typed records."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from hubsite.validation.choices import BaselineKind, Severity
from hubsite.validation.steps import StepName

# JSON values a finding's sentence may name.
Detail = Mapping[str, "str | int | float | bool | list[str] | list[int] | None"]


@dataclass(frozen=True)
class Found:
    """Something a check saw; `code` is one of sentences.SENTENCES."""

    step: StepName
    code: str
    severity: Severity
    path: str = ""
    detail: Detail = field(default_factory=dict)


@dataclass(frozen=True)
class Interval:
    """A measured fraction with its 95 % bootstrap interval, over `examples` examples."""

    value: float
    low: float
    high: float
    examples: int


@dataclass(frozen=True)
class Measurement:
    """What an adapter reached on the suite of its task."""

    result: Interval
    examples_per_second: float
    device: str


@dataclass(frozen=True)
class BaselineMeasurement:
    """What the bare backbone reached on the same suite."""

    kind: BaselineKind
    result: Interval
