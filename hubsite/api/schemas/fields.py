"""Field types that several answers share."""

from datetime import UTC, datetime
from typing import Annotated

from ninja import Schema
from pydantic import PlainSerializer, WithJsonSchema


def moment_text(moment: datetime) -> str:
    """UTC with milliseconds, e.g. `2026-11-23T14:39:13.089Z`."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


Moment = Annotated[
    datetime,
    PlainSerializer(moment_text, return_type=str),
    WithJsonSchema({"type": "string", "format": "date-time", "examples": ["2026-11-23T14:39:13.089Z"]}),
]


class ErrorBody(Schema):
    """`code` is a stable word for programs, `message` one sentence for people."""

    code: str
    message: str


class ErrorAnswer(Schema):
    """Every answer with a status of 400 or more."""

    error: ErrorBody


class Score(Schema):
    """A score that the hub measured, beside its baselines; values from 0 to 1, the interval 95 %."""

    suite: str
    metric: str
    value: float
    low: float
    high: float
    majority: float
    probe: float
    claimed: float | None
    examples: int
