"""What becomes of a child's lines: checked, then written under the worker's claim."""

import time
from collections.abc import Callable

from hubsite.validation.choices import Severity
from hubsite.validation.reports import BaselineMeasurement, Found, Measurement
from hubsite.validation.sentences import SENTENCES, Actor
from hubsite.validation.services import runs
from hubsite.validation.services.runs import Claim
from hubsite.validation.steps import StepName
from workers import heartbeat
from workers.events import BadEventError, Logged, StepBegan, StepEnded, decode
from workers.sandbox import Watch

# More than any honest run says.
_MOST_LINES = 2000


class Recorder:
    """Keeps the state of one run while its children speak."""

    def __init__(self, claim: Claim, stopping: Callable[[], bool]) -> None:
        self.claim = claim
        self.stopping = stopping
        self.step = StepName.LAYOUT
        # Whether the present step has begun and not ended.
        self.open = False
        self.failed = False
        self.hub_fault: Found | None = None
        self.measured: Measurement | None = None
        self.baselines: list[BaselineMeasurement] = []
        self._lines = 0
        self._beat_at = 0.0

    def watch(self) -> Watch:
        """What the worker does while a child works."""
        return Watch(self.on_line, self.on_pulse, self.stopping)

    def on_pulse(self) -> None:
        """Give a sign of life when it is time. Raises ClaimLost."""
        now = time.monotonic()
        if now - self._beat_at >= heartbeat.SECONDS:
            runs.heartbeat(self.claim)
            self._beat_at = now

    def on_line(self, line: bytes) -> None:
        """Write what a child says. Raises BadEventError for what no check says, ClaimLost."""
        self._lines += 1
        if self._lines > _MOST_LINES:
            raise BadEventError("too many lines")
        event = decode(line)
        match event:
            case StepBegan(step):
                self.begin(step)
            case StepEnded(step, passed, milliseconds):
                self.end(step, passed=passed, milliseconds=milliseconds)
            case Logged(step, text):
                runs.append_log(self.claim, step, text)
            case Found():
                self.find(event)
            case Measurement():
                self.measured = event
            case BaselineMeasurement():
                self.baselines.append(event)

    def begin(self, step: StepName) -> None:
        """A step starts."""
        self.step, self.open = step, True
        runs.start_step(self.claim, step)

    def end(self, step: StepName, *, passed: bool, milliseconds: int) -> None:
        """A step is over."""
        self.open = False
        runs.finish_step(self.claim, step, passed=passed, duration_ms=milliseconds)

    def find(self, found: Found) -> None:
        """Write a finding; an error of the hub's own is kept for the retry instead."""
        if found.code not in SENTENCES:
            raise BadEventError(f"the code {found.code[:60]!r} is unknown")
        if found.severity == Severity.ERROR and SENTENCES[found.code].actor == Actor.HUB:
            self.hub_fault = found
            return
        self.failed = self.failed or found.severity == Severity.ERROR
        runs.add_finding(self.claim, found)
