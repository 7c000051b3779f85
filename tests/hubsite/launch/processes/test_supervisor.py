"""Dead children come back, stubborn ones are killed, and a signal ends the watch."""

import os
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from hubsite.launch.processes.child import ChildSpec
from hubsite.launch.processes.supervisor import Supervisor
from tests.hubsite.launch.processes.observed import PATIENCE, is_alive, number_in

TELL = "import os, pathlib, sys; pathlib.Path(sys.argv[1]).write_text(f'{os.getpid()}\\n'); "
SLEEP = TELL + "import time; time.sleep(60)"
DEAF = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); " + SLEEP
FAIL = "import sys; sys.exit(7)"


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def supervisor(said: list[str]) -> Iterator[Supervisor]:
    supervisor = Supervisor(said.append)
    yield supervisor
    supervisor.stop()


def _spec(folder: Path, code: str, *, lasting: bool = True) -> ChildSpec:
    command = (sys.executable, "-c", code, str(folder / "pid"))
    return ChildSpec("sleeper", command, folder / "log", lasting=lasting)


def _patiently() -> float:
    return time.monotonic() + PATIENCE


def test_a_child_that_is_killed_is_started_again_and_it_is_said(
    supervisor: Supervisor, said: list[str], tmp_path: Path
) -> None:
    supervisor.start([_spec(tmp_path, SLEEP)])
    first = number_in(tmp_path / "pid")
    (tmp_path / "pid").unlink()
    os.kill(first, signal.SIGKILL)
    deadline = _patiently()
    supervisor.watch(until=lambda: (tmp_path / "pid").exists() or time.monotonic() > deadline)
    second = number_in(tmp_path / "pid")
    assert second != first
    assert is_alive(second)
    assert said == [f"The sleeper ended (SIGKILL); starting it again in 0.5 s. See {tmp_path / 'log'}."]


def test_one_that_keeps_failing_is_left_alone_longer_each_time(
    supervisor: Supervisor, said: list[str], tmp_path: Path
) -> None:
    supervisor.start([_spec(tmp_path, FAIL)])
    deadline = _patiently()
    supervisor.watch(until=lambda: len(said) == 2 or time.monotonic() > deadline)
    assert "ended (exit code 7); starting it again in 0.5 s" in said[0]
    assert "starting it again in 1 s" in said[1]
    assert supervisor.has("sleeper")


def test_one_that_need_not_last_may_end(supervisor: Supervisor, said: list[str], tmp_path: Path) -> None:
    supervisor.start([_spec(tmp_path, "pass", lasting=False)])
    deadline = _patiently()
    supervisor.watch(until=lambda: not supervisor.has("sleeper") or time.monotonic() > deadline)
    assert not supervisor.has("sleeper")
    assert said == []


def test_one_that_does_not_listen_is_killed(
    supervisor: Supervisor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hubsite.launch.processes.supervisor._GRACE", 0.2)
    supervisor.start([_spec(tmp_path, DEAF)])
    pid = number_in(tmp_path / "pid")
    supervisor.stop()
    assert not is_alive(pid)
    assert not supervisor.has("sleeper")


def test_a_signal_ends_the_watch_and_nothing_more_is_started(supervisor: Supervisor, tmp_path: Path) -> None:
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    supervisor.stop_on_signals()
    try:
        os.kill(os.getpid(), signal.SIGINT)
        supervisor.watch()
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    assert supervisor.stopping
    supervisor.start([_spec(tmp_path, SLEEP)])
    assert not supervisor.has("sleeper")
