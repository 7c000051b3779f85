"""A real worker, started by the documented command line, killed and stopped in the middle of its work.

The child is held with SIGSTOP, so that "in the middle" is certain and nothing in the code waits for the test.
"""

import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
COMMAND = [
    sys.executable,
    "-m",
    "celery",
    "-A",
    "workers.app",
    "worker",
    "--pool",
    "solo",
    "-B",
    "--loglevel",
    "INFO",
]
PATIENCE = 120.0


class Hub:
    """A hub in a folder of its own, looked at through its database's file."""

    def __init__(self, folder: Path) -> None:
        self.data = folder / "data"
        self.work = folder / "work"
        self.work.mkdir()
        self.log = folder / "worker.log"
        self.environment = {
            **os.environ,
            "HUB_DATA_DIR": str(self.data),
            "OMP_NUM_THREADS": "1",
            "PYTHONWARNINGS": "ignore",
        }
        self.environment.pop("DATABASE_URL", None)
        if "REDIS_URL" in self.environment:  # not the database of the other tests
            self.environment["REDIS_URL"] = self.environment["REDIS_URL"].rpartition("/")[0] + "/3"
        self.workers: list[subprocess.Popen[bytes]] = []

    def prepare(self) -> str:
        """Fill the hub; the id of the run that waits."""
        done = subprocess.run(
            [sys.executable, "-m", "tests.workers.world", str(self.work)],
            cwd=ROOT, env=self.environment, stdout=subprocess.PIPE, text=True, check=True,
        )  # fmt: skip
        return done.stdout.split()[-1]

    def start_worker(self) -> subprocess.Popen[bytes]:
        with self.log.open("ab") as log:
            worker = subprocess.Popen(COMMAND, cwd=ROOT, env=self.environment, stdout=log, stderr=log)
        self.workers.append(worker)
        return worker

    def ask(self, query: str) -> list[Any]:
        """Rows from the database, read only."""
        with closing(
            sqlite3.connect(f"file:{self.data}/hub.sqlite3?mode=ro", uri=True, timeout=20)
        ) as database:
            return database.execute(query).fetchall()

    def status(self) -> tuple[str, int]:
        """(status, attempts) of the only run."""
        (found,) = self.ask("SELECT status, attempts FROM validation_run")
        return found[0], found[1]

    def wait(self, true: Callable[[], Any], what: str) -> Any:
        """Poll until something is true; the worker's log is the story if it never is."""
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until:
            found = true()
            if found:
                return found
            time.sleep(0.02)
        raise AssertionError(f"{what} did not happen: {self.status()}\n{self.log.read_text()[-4000:]}")

    def hold_child(self, worker: subprocess.Popen[bytes]) -> int:
        """Stop the child that validates, as soon as there is one, and make sure that the run is not over."""
        child = self.wait(lambda: self._stopped_child(worker.pid), "a validation")
        assert self.status()[0] == "running"
        return int(child)

    def _stopped_child(self, worker: int) -> int | None:
        for child in children(worker):
            # Beat is a child of the worker too, in the worker's own session.
            if os.getsid(child) == child:
                os.kill(child, signal.SIGSTOP)
                return child
        return None


def children(pid: int) -> list[int]:
    try:
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except FileNotFoundError:
        return []


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[Hub]:
    hub = Hub(tmp_path)
    yield hub
    for worker in hub.workers:
        if worker.poll() is None:
            worker.kill()
        worker.wait()


def test_a_killed_or_stopped_worker_loses_no_run_and_none_is_finished_twice(hub: Hub) -> None:
    hub.prepare()

    killed = hub.start_worker()
    child = hub.hold_child(killed)
    family = [child, *children(killed.pid)]
    killed.kill()
    killed.wait()
    hub.wait(lambda: not any(alive(pid) for pid in family), "the end of the killed worker's children")
    assert hub.status() == ("running", 1)

    stopped = hub.start_worker()
    child = hub.hold_child(stopped)
    family = [child, *children(stopped.pid)]
    began = time.monotonic()
    stopped.send_signal(signal.SIGTERM)
    assert stopped.wait(timeout=20) == 0
    assert time.monotonic() - began < 10
    assert not any(alive(pid) for pid in family)
    assert hub.status() == ("queued", 1)

    last = hub.start_worker()
    hub.wait(lambda: hub.status()[0] not in {"queued", "running"}, "the end of the run")
    assert hub.status() == ("passed", 2)
    assert hub.ask("SELECT COUNT(*) FROM validation_score") == [(1,)]
    assert hub.ask("SELECT name FROM registry_ref WHERE kind = 'tag'") == [("v1",)]
    assert hub.ask("SELECT DISTINCT status FROM validation_step") == [("passed",)]
    assert hub.ask("SELECT COUNT(*) FROM validation_finding WHERE severity = 'error'") == [(0,)]
    last.send_signal(signal.SIGINT)
    assert last.wait(timeout=20) == 1  # Celery's answer to Ctrl-C
    assert list((hub.data / "runs").iterdir()) == []
