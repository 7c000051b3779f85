"""What a child tells its worker, one JSON object per line.

The child has read a stranger's bytes, so the worker takes nothing on trust: unknown kinds and words, numbers
out of range and odd shapes are refused with BadEventError; long texts are cut.
"""

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from hubsite.validation.choices import BaselineKind, Severity
from hubsite.validation.reports import BaselineMeasurement, Found, Interval, Measurement
from hubsite.validation.steps import StepName

_LONGEST = 500
_MOST_VALUES = 20


class BadEventError(Exception):
    """A line that no honest check writes."""


@dataclass(frozen=True)
class StepBegan:
    """A check starts."""

    step: StepName


@dataclass(frozen=True)
class StepEnded:
    """A check is over."""

    step: StepName
    passed: bool
    duration_ms: int


@dataclass(frozen=True)
class Logged:
    """A line for a step's log."""

    step: StepName
    text: str


Event = StepBegan | StepEnded | Logged | Found | Measurement | BaselineMeasurement


def encode(event: Event) -> bytes:
    """One line, without its end."""
    return json.dumps({"event": type(event).__name__, **asdict(event)}, allow_nan=False).encode()


def decode(line: bytes) -> Event:
    """The event of one line. Raises BadEventError."""
    try:
        values = json.loads(line)
        read = _READERS[values.pop("event")]
        return read(values)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise BadEventError(f"not an event: {type(error).__name__}") from None


def _found(values: Mapping[str, Any]) -> Found:
    detail = {_text(key): _detail(value) for key, value in values["detail"].items()}
    if len(detail) > _MOST_VALUES:
        raise ValueError("too many details")
    return Found(
        StepName(values["step"]),
        _text(values["code"]),
        Severity(values["severity"]),
        _text(values["path"]),
        detail,
    )


def _interval(values: Mapping[str, Any]) -> Interval:
    value, low, high = (_number(values[key], 0.0, 1.0) for key in ("value", "low", "high"))
    return Interval(value, low, high, _whole(values["examples"]))


def _measurement(values: Mapping[str, Any]) -> Measurement:
    speed = _number(values["examples_per_second"], 0.0, 1e9)
    return Measurement(_interval(values["result"]), speed, _text(values["device"])[:40])


_READERS: Mapping[str, Callable[[Mapping[str, Any]], Event]] = {
    "StepBegan": lambda values: StepBegan(StepName(values["step"])),
    "StepEnded": lambda values: StepEnded(
        StepName(values["step"]), values["passed"] is True, _whole(values["duration_ms"])
    ),
    "Logged": lambda values: Logged(StepName(values["step"]), _text(values["text"])),
    "Found": _found,
    "Measurement": _measurement,
    "BaselineMeasurement": lambda values: BaselineMeasurement(
        BaselineKind(values["kind"]), _interval(values["result"])
    ),
}


def _text(value: Any) -> str:
    """Cut, and without what databases cannot store: NUL and lone surrogates."""
    if not isinstance(value, str):
        raise TypeError("not a text")
    return value[:_LONGEST].replace("\x00", "�").encode("utf-8", "replace").decode()


def _whole(value: Any) -> int:
    if type(value) is not int or not 0 <= value < 2**31:
        raise ValueError("not a count")
    return value


def _number(value: Any, low: float, high: float) -> float:
    if type(value) not in (int, float) or not math.isfinite(value) or not low <= value <= high:
        raise ValueError("not a number in range")
    return float(value)


def _detail(value: Any) -> Any:
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, list):
        return [_detail(one) for one in value[:_MOST_VALUES] if not isinstance(one, list)]
    return _number(value, -1e18, 1e18) if isinstance(value, float) else _bounded(value)


def _bounded(value: Any) -> int:
    if type(value) is not int or abs(value) >= 2**63:
        raise ValueError("not a whole number in range")
    return value
