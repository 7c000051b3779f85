"""What a child does: the checks of one phase in order, until one of them fails for good."""

import time

from workers.case import Case
from workers.events import Logged, StepBegan, StepEnded
from workers.registry import Check, Phase, checks
from workers.report import Report
from workers.sandbox import Emit
from workers.subject import Subject


def run_bytes_phase(case: Case, emit: Emit, isolation: list[str]) -> None:
    """Steps that need the commit's files alone."""
    run_phase(Phase.BYTES, case, emit, isolation)


def run_model_phase(case: Case, emit: Emit, isolation: list[str]) -> None:
    """Steps that need the backbone in memory."""
    from workers.loaded import use_all_threads  # torch: the other phase does without

    use_all_threads()
    run_phase(Phase.MODEL, case, emit, isolation)


def run_phase(phase: Phase, case: Case, emit: Emit, isolation: list[str]) -> None:
    """Run the checks of a phase; what they find leaves through `emit`."""
    import workers.checks  # noqa: F401 - a child that is spawned registers the checks here

    subject = Subject(case)
    for number, check in enumerate(checks(phase)):
        report = Report(check.step, emit)
        report.send(StepBegan(check.step))
        if number == 0:
            report.send(Logged(check.step, f"confined: {', '.join(isolation) or 'network allowed'}"))
        if _final(check, subject, report):
            return


def _final(check: Check, subject: Subject, report: Report) -> bool:
    """Run one check; whether the phase ends with it."""
    began = time.perf_counter()
    check.run(subject, report)
    milliseconds = round((time.perf_counter() - began) * 1000)
    report.send(StepEnded(check.step, not report.failed, milliseconds))
    return report.final
