"""Lines of a child are read as a stranger's."""

import json

import pytest

from hubsite.validation.choices import BaselineKind, Severity
from hubsite.validation.reports import BaselineMeasurement, Found, Interval, Measurement
from hubsite.validation.steps import StepName
from workers.events import BadEventError, Event, Logged, StepBegan, StepEnded, decode, encode

RESULT = Interval(0.5, 0.25, 0.75, 8)


@pytest.mark.parametrize(
    "event",
    [
        StepBegan(StepName.LOAD),
        StepEnded(StepName.LOAD, True, 12),
        Logged(StepName.CARD, "ü"),
        Found(
            StepName.TENSORS, "tensors.missing", Severity.ERROR, "a", {"count": 3, "names": ["x"], "no": None}
        ),
        Measurement(RESULT, 120.5, "cpu"),
        BaselineMeasurement(BaselineKind.PROBE, RESULT),
    ],
)
def test_what_a_check_says_arrives(event: Event) -> None:
    assert decode(encode(event)) == event


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"hello",
        b"[]",
        b"null",
        b"{}",
        b'{"event": "Nothing"}',
        b'{"event": "StepBegan", "step": "flying"}',
        b'{"event": "StepEnded", "step": "load", "passed": true, "duration_ms": -1}',
        b'{"event": "Found", "step": "load", "code": 1, "severity": "error", "path": "", "detail": {}}',
        b'{"event": "Found", "step": "load", "code": "a.b", "severity": "fatal", "path": "", "detail": {}}',
        b'{"event": "Found", "step": "load", "code": "a.b", "severity": "info", "path": "", "detail": {"a": {}}}',  # noqa: E501
        b"[" * 100_000,
        b"\xff\xfe",
    ],
)
def test_what_no_check_says_is_refused(line: bytes) -> None:
    with pytest.raises(BadEventError):
        decode(line)


@pytest.mark.parametrize(
    ("key", "value"),
    [("value", 1.5), ("low", -0.1), ("high", float("nan")), ("examples", 1.0), ("value", True)],
)
def test_a_score_out_of_range_is_refused(key: str, value: float) -> None:
    result = {"value": 0.5, "low": 0.4, "high": 0.6, "examples": 10, key: value}
    line = json.dumps({"event": "Measurement", "result": result, "examples_per_second": 1.0, "device": "cpu"})
    with pytest.raises(BadEventError):
        decode(line.encode())


def test_texts_are_cut_and_cleaned() -> None:
    line = json.dumps({"event": "Logged", "step": "load", "text": "a\x00b\ud800" + "x" * 10_000})
    event = decode(line.encode())
    assert isinstance(event, Logged)
    assert event.text.startswith("a�b?x")
    assert len(event.text) == 500
