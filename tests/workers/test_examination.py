"""Children that end in every way there is: what the run's owner reads, and whose fault it is."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pytest_django import Settings

from hubsite.accounts.models import User
from hubsite.validation.models import Run, Severity, StepStatus
from hubsite.validation.services import runs
from tests.hubsite.validation.made import make_run
from tests.workers.jobs import (
    MEBIBYTE,
    babble,
    blame_the_hub,
    break_down,
    devour,
    do_well,
    hang,
    invent_a_code,
    stop_halfway,
    vanish,
)
from workers.examination import Examination, HubFault, Refused, Stopped
from workers.recorder import Recorder


def examine(run: Run, folder: Path, *, stopping: Callable[[], bool] = lambda: False) -> Examination:
    claim = runs.claim(run.id, "tests")
    assert claim is not None
    return Examination(Recorder(claim, stopping), folder)


@pytest.fixture
def run_of_alice(alice: User, settings: Settings) -> Run:
    settings.VALIDATION_MEMORY = 512 * MEBIBYTE
    return make_run(alice)


@pytest.mark.parametrize(
    ("job", "code"),
    [
        (devour, "run.memory"),
        (vanish, "run.crash"),
        (stop_halfway, "run.crash"),
        (babble, "run.crash"),
        (invent_a_code, "run.crash"),
    ],
)
def test_a_child_that_misbehaves_fails_its_upload(
    run_of_alice: Run, tmp_path: Path, job: Any, code: str
) -> None:
    with pytest.raises(Refused):
        examine(run_of_alice, tmp_path).phase(job, None, "fork")  # type: ignore[arg-type]
    finding = run_of_alice.findings.get()
    assert (finding.code, finding.severity, finding.step.name) == (code, Severity.ERROR, "header")


def test_a_child_that_hangs_is_ended_in_time(run_of_alice: Run, tmp_path: Path, settings: Settings) -> None:
    settings.VALIDATION_SECONDS = 1
    with pytest.raises(Refused):
        examine(run_of_alice, tmp_path).phase(hang, None, "fork")  # type: ignore[arg-type]
    assert run_of_alice.findings.get().code == "run.timeout"


def test_our_own_mistake_is_not_the_authors(run_of_alice: Run, tmp_path: Path) -> None:
    with pytest.raises(HubFault) as caught:
        examine(run_of_alice, tmp_path).phase(break_down, None, "fork")  # type: ignore[arg-type]
    assert caught.value.found.code == "hub.internal"
    assert not run_of_alice.findings.exists()
    assert "a check has a mistake" in run_of_alice.steps.get(name="header").log


def test_a_check_may_say_that_the_hub_is_at_fault(run_of_alice: Run, tmp_path: Path) -> None:
    with pytest.raises(HubFault) as caught:
        examine(run_of_alice, tmp_path).phase(blame_the_hub, None, "fork")  # type: ignore[arg-type]
    assert caught.value.found.detail["reason"] == "gone"


def test_a_worker_that_is_to_stop_stops(run_of_alice: Run, tmp_path: Path) -> None:
    with pytest.raises(Stopped):
        examine(run_of_alice, tmp_path, stopping=lambda: True).phase(hang, None, "fork")  # type: ignore[arg-type]


def test_a_lost_claim_ends_the_child(run_of_alice: Run, tmp_path: Path) -> None:
    examination = examine(run_of_alice, tmp_path)
    runs.hand_back(examination.recorder.claim)
    with pytest.raises(runs.ClaimLost):
        examination.phase(hang, None, "fork")  # type: ignore[arg-type]


@pytest.mark.parametrize("start", ["fork", "spawn"])
def test_a_good_child_is_believed(run_of_alice: Run, tmp_path: Path, start: Any) -> None:
    """`spawn` is how children start where there is a CUDA device."""
    examine(run_of_alice, tmp_path).phase(do_well, None, start)  # type: ignore[arg-type]
    step = run_of_alice.steps.get(name="header")
    assert (step.status, step.duration_ms, step.log) == (StepStatus.PASSED, 7, "all is well\n")
