"""What a check says, and how: findings by code, log lines, measurements."""

from hubsite.validation.choices import Severity
from hubsite.validation.reports import BaselineMeasurement, Found, Measurement
from hubsite.validation.steps import StepName
from workers.events import Event, Logged, encode
from workers.sandbox import Emit

Value = str | int | float | bool | list[str] | list[int] | None


class Report:
    """The voice of one step; a step with an error has failed."""

    def __init__(self, step: StepName, emit: Emit) -> None:
        self.step = step
        self.failed = False
        # Whether later steps would make no sense.
        self.final = False
        self._emit = emit

    def error(self, code: str, path: str = "", *, final: bool = True, **detail: Value) -> None:
        """Something that keeps the commit from being published; unless `final`, the next step still runs."""
        self.failed = True
        self.final = self.final or final
        self._find(code, Severity.ERROR, path, detail)

    def warning(self, code: str, path: str = "", **detail: Value) -> None:
        """Something its author should look at."""
        self._find(code, Severity.WARNING, path, detail)

    def note(self, code: str, path: str = "", **detail: Value) -> None:
        """Something worth knowing."""
        self._find(code, Severity.INFO, path, detail)

    def log(self, text: str) -> None:
        """A line for the step's log."""
        self.send(Logged(self.step, text))

    def measured(self, measurement: Measurement | BaselineMeasurement) -> None:
        """A number, for the worker to store."""
        self.send(measurement)

    def send(self, event: Event) -> None:
        """Hand an event to the worker."""
        self._emit(encode(event))

    def _find(self, code: str, severity: Severity, path: str, detail: dict[str, Value]) -> None:
        self.send(Found(self.step, code, severity, path, detail))
