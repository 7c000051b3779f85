"""The worker's ear: what it writes, keeps back, and refuses to hear."""

from datetime import timedelta

import pytest

from hubsite.accounts.models import User
from hubsite.core import clock
from hubsite.validation.choices import BaselineKind, Severity
from hubsite.validation.models import Run, StepStatus
from hubsite.validation.reports import BaselineMeasurement, Found, Interval, Measurement
from hubsite.validation.services import runs
from hubsite.validation.steps import StepName
from tests.hubsite.validation.made import make_run
from workers.events import BadEventError, Logged, StepBegan, StepEnded, encode
from workers.recorder import Recorder

RESULT = Interval(0.5, 0.25, 0.75, 8)


@pytest.fixture
def recorder(alice: User) -> Recorder:
    claim = runs.claim(make_run(alice).id, "tests")
    assert claim is not None
    return Recorder(claim, lambda: False)


def test_steps_logs_and_findings_are_written(recorder: Recorder) -> None:
    for event in (
        StepBegan(StepName.TENSORS),
        Logged(StepName.TENSORS, "10 matched"),
        Found(StepName.TENSORS, "tensors.missing", Severity.ERROR, "a", {"count": 1, "tensor": "x"}),
        StepEnded(StepName.TENSORS, False, 5),
    ):
        recorder.on_line(encode(event))
    step = Run.objects.get().steps.get(name="tensors")
    assert (step.status, step.log, step.duration_ms) == (StepStatus.FAILED, "10 matched\n", 5)
    assert Run.objects.get().findings.get().detail == {"count": 1, "tensor": "x"}
    assert (recorder.failed, recorder.open) == (True, False)


def test_numbers_wait_for_the_verdict(recorder: Recorder) -> None:
    measured = Measurement(RESULT, 10.0, "cpu")
    baseline = BaselineMeasurement(BaselineKind.PROBE, RESULT)
    recorder.on_line(encode(measured))
    recorder.on_line(encode(baseline))
    assert (recorder.measured, recorder.baselines) == (measured, [baseline])
    assert not Run.objects.get().scores.exists()


def test_a_note_does_not_fail_a_run(recorder: Recorder) -> None:
    recorder.on_line(encode(Found(StepName.EVALUATE, "evaluate.no_head", Severity.INFO)))
    assert not recorder.failed


def test_a_child_that_never_stops_talking_is_not_heard_out(
    recorder: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("workers.recorder._MOST_LINES", 20)
    line = encode(Logged(StepName.CARD, "la"))

    def listen_for_ever() -> None:
        while True:
            recorder.on_line(line)

    with pytest.raises(BadEventError, match="too many"):
        listen_for_ever()


def test_signs_of_life_are_given_now_and_then(recorder: Recorder) -> None:
    recorder.on_pulse()
    long_ago = clock.now() - timedelta(minutes=1)
    Run.objects.update(heartbeat_at=long_ago)
    recorder.on_pulse()
    assert Run.objects.get().heartbeat_at == long_ago


def test_a_lost_claim_is_noticed_at_the_next_sign_of_life(recorder: Recorder) -> None:
    runs.hand_back(recorder.claim)
    with pytest.raises(runs.ClaimLost):
        recorder.on_pulse()
