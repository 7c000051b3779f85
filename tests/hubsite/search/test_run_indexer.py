"""The indexer as operators run it: a process of its own, beside a site that publishes and searches."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from hubsite.search.index_folder import IndexFolder

ROOT = Path(__file__).resolve().parents[3]
INDEXER = [sys.executable, "manage.py", "run_indexer"]


class Site:
    """The process of `site_process`, and the environment in which others see its data."""

    def __init__(self, folder: Path) -> None:
        self.environment = os.environ | {"HUB_DATA_DIR": str(folder), "PYTHONPATH": str(ROOT)}
        self.environment.pop("DATABASE_URL", None)
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.hubsite.search.site_process"],
            cwd=ROOT,
            env=self.environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._read() == "ready"

    def ask(self, line: str) -> Any:
        assert self.process.stdin
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        return self._read()

    def close(self) -> None:
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.close()
        self.process.stdout.close()
        self.process.wait(10)

    def _read(self) -> Any:
        assert self.process.stdout
        return json.loads(self.process.stdout.readline())


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("site")


@pytest.fixture(scope="module")
def site(folder: Path) -> Iterator[Site]:
    site = Site(folder)
    yield site
    site.close()


@pytest.fixture
def start(site: Site) -> Iterator[Callable[[], subprocess.Popen[bytes]]]:
    """Starts an indexer on the site's data."""
    started: list[subprocess.Popen[bytes]] = []

    def start() -> subprocess.Popen[bytes]:
        started.append(subprocess.Popen(INDEXER, cwd=ROOT, env=site.environment))
        return started[-1]

    yield start
    for process in started:
        process.kill()
        process.wait()


def seconds_until(condition: Callable[[], bool], limit: float) -> float:
    begun = time.monotonic()
    while not condition():
        assert time.monotonic() - begun < limit, f"not so within {limit} seconds"
        time.sleep(0.02)
    return time.monotonic() - begun


Start = Callable[[], subprocess.Popen[bytes]]


def test_a_publication_is_findable_within_two_seconds_and_sigterm_ends_it_at_once(
    site: Site, folder: Path, start: Start
) -> None:
    indexer = start()
    seconds_until(lambda: IndexFolder(folder / "search").current() is not None, 20)
    for name in ("first", "second"):
        site.ask(f"publish {name}")
        assert seconds_until(lambda: name in site.ask("find"), 5) < 2  # noqa: B023 - asked at once
    indexer.terminate()
    assert indexer.wait(3) == 0


def test_killed_again_and_again_it_loses_and_doubles_nothing(site: Site, start: Start) -> None:
    for number in range(3):
        indexer = start()
        site.ask(f"publish before{number}")
        # Killed at other moments of its work each time: starting, indexing, idle.
        time.sleep(0.8 + 0.2 * number)
        indexer.send_signal(signal.SIGKILL)
        indexer.wait()
        site.ask(f"publish after{number}")
    start()
    seconds_until(lambda: site.ask("waiting") == 0, 20)
    found = site.ask("find")
    assert {f"{when}{number}" for when in ("before", "after") for number in range(3)} <= set(found)
    assert len(found) == len(set(found))


def test_it_waits_for_a_rebuild_and_can_be_stopped_meanwhile(site: Site, folder: Path, start: Start) -> None:
    with IndexFolder(folder / "search").writing():
        indexer = start()
        site.ask("publish patient")
        time.sleep(2.5)
        assert "patient" not in site.ask("find")
        indexer.terminate()
        assert indexer.wait(3) == 0
    start()
    seconds_until(lambda: "patient" in site.ask("find"), 20)


def test_it_ends_when_its_supervisor_was_killed(site: Site) -> None:
    script = (
        "import os, subprocess, sys;"
        "child = subprocess.Popen([*sys.argv[1:], '--parent', str(os.getpid())]);"
        "print(child.pid, flush=True);"
        "child.wait()"
    )
    supervisor = subprocess.Popen(
        [sys.executable, "-c", script, *INDEXER], cwd=ROOT, env=site.environment, stdout=subprocess.PIPE
    )
    assert supervisor.stdout
    indexer = int(supervisor.stdout.readline())
    time.sleep(1)
    supervisor.kill()
    supervisor.wait()
    supervisor.stdout.close()
    seconds_until(lambda: not Path(f"/proc/{indexer}/cmdline").exists() or _is_zombie(indexer), 20)


def _is_zombie(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        return True


def test_rebuild_index_says_what_it_wrote(site: Site) -> None:
    done = subprocess.run(
        [sys.executable, "manage.py", "rebuild_index"],
        cwd=ROOT,
        env=site.environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == f"The search index holds {len(site.ask('find'))} adapters.\n"
