"""What a check says about a folder, heard without a child process."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hubsite.validation.choices import Severity
from hubsite.validation.reports import BaselineMeasurement, Found, Measurement
from hubsite.validation.steps import StepName
from workers.case import BackboneFiles, Case, FileFact, Policy
from workers.events import Logged, decode
from workers.report import Report
from workers.subject import Subject

POLICY = Policy(max_files=20, max_size=1_000_000)


@dataclass
class Heard:
    """Everything a check said."""

    found: list[Found] = field(default_factory=list)
    logged: list[str] = field(default_factory=list)
    measured: list[Measurement | BaselineMeasurement] = field(default_factory=list)
    failed: bool = False

    @property
    def codes(self) -> list[str]:
        return [one.code for one in self.found]

    @property
    def errors(self) -> list[str]:
        return [one.code for one in self.found if one.severity == Severity.ERROR]


def case_of(folder: Path, **facts: Any) -> Case:
    """All files below a folder as a case."""
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    files = tuple(FileFact(path.relative_to(folder).as_posix(), path.stat().st_size) for path in paths)
    return Case(**{"folder": folder, "files": files, "policy": POLICY, **facts})


def backbone_of(folder: Path) -> BackboneFiles:
    """A folder as a backbone."""
    return BackboneFiles("tiny/bert", "r1", folder, "the tests")


def hear(check: Callable[[Subject, Report], None], subject: Subject | Case) -> Heard:
    """Run a check and listen, through the same encoding that a pipe carries."""
    heard = Heard()

    def listen(line: bytes) -> None:
        event = decode(line)
        if isinstance(event, Found):
            heard.found.append(event)
        elif isinstance(event, Logged):
            heard.logged.append(event.text)
        elif isinstance(event, Measurement | BaselineMeasurement):
            heard.measured.append(event)

    report = Report(StepName.LAYOUT, listen)
    check(subject if isinstance(subject, Subject) else Subject(subject), report)
    heard.failed = report.failed
    return heard
