"""`manage.py hub --no-demo` as a process: it answers, heals, refuses in a sentence, leaves nothing behind."""

import os
import re
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from tests.hubsite.launch.processes.observed import eventually, is_alive

ROOT = Path(__file__).resolve().parents[3]
COMMAND = (sys.executable, "manage.py", "hub", "--no-demo")
READY = re.compile(r"The hub is at (http://127\.0\.0\.1:(\d+)) \(ready in [\d.]+ s\)")


@dataclass
class Running:
    """A hub with its folder, and what it has said so far."""

    process: "subprocess.Popen[bytes]"
    folder: Path
    output: Path

    @property
    def said(self) -> str:
        return self.output.read_text()

    @property
    def url(self) -> str:
        assert eventually(lambda: bool(READY.search(self.said))), self.said
        found = READY.search(self.said)
        assert found is not None
        return found[1]

    def children(self) -> dict[int, str]:
        """Its living children and theirs, by process id."""
        found = {}
        for child in psutil.Process(self.process.pid).children(recursive=True):
            with suppress(psutil.NoSuchProcess):  # a zombie is one too
                found[child.pid] = " ".join(child.cmdline())
        return found


def _environment() -> dict[str, str]:
    """As in a terminal: the folder comes from the command line, and no service is configured."""
    unset = {"HUB_DATA_DIR", "DATABASE_URL", "REDIS_URL"}
    return {name: value for name, value in os.environ.items() if name not in unset}


def _start(folder: Path) -> Running:
    output = folder.parent / f"{folder.name}.said"
    with output.open("wb") as file:
        process = subprocess.Popen(
            [*COMMAND, "--port", "0", "--data-dir", str(folder)],
            cwd=ROOT,
            stdout=file,
            stderr=subprocess.STDOUT,
            env=_environment(),
        )
    return Running(process, folder, output)


def _refused(*arguments: str) -> str:
    """What a hub says that cannot start: one line, without a trace."""
    done = subprocess.run(
        [*COMMAND, *arguments], cwd=ROOT, env=_environment(), capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    return done.stderr


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    running = _start(tmp_path_factory.mktemp("hub") / "data")
    yield running
    running.process.terminate()
    running.process.wait(30)


def test_the_site_answers(hub: Running) -> None:
    with urllib.request.urlopen(hub.url, timeout=10) as answer:  # noqa: S310 - our own
        assert answer.status == 200


def test_it_runs_site_indexer_and_worker_and_keeps_their_logs(hub: Running) -> None:
    assert hub.url
    for part in ("gunicorn", "run_indexer", "celery"):
        assert eventually(lambda part=part: any(part in command for command in hub.children().values()))  # type: ignore[misc]
    assert {path.name for path in (hub.folder / "logs").iterdir()} >= {"web.log", "indexer.log", "worker.log"}
    assert "[INFO]" not in hub.said


def test_a_second_hub_on_the_same_folder_is_refused(hub: Running) -> None:
    assert hub.url
    sentence = _refused("--port", "0", "--data-dir", str(hub.folder))
    assert f"Another hub (process {hub.process.pid}) already uses {hub.folder}; stop it" in sentence


def test_a_port_in_use_is_refused(hub: Running, tmp_path: Path) -> None:
    port = hub.url.rpartition(":")[2]
    sentence = _refused("--port", port, "--data-dir", str(tmp_path))
    assert f"Port {port} on 127.0.0.1 is in use; stop the program that has it" in sentence


def test_a_folder_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    sentence = _refused("--port", "0", "--data-dir", str(tmp_path / "file" / "data"))
    assert re.search(
        rf"folder {tmp_path}/file/data\S* cannot be .*\(Not a directory\); set HUB_DATA_DIR", sentence
    )


def test_a_database_that_is_none_is_refused(tmp_path: Path) -> None:
    (tmp_path / "hub.sqlite3").write_bytes(b"no database " * 1000)
    sentence = _refused("--port", "0", "--data-dir", str(tmp_path))
    assert "The database cannot be used (file is not a database)" in sentence


def test_a_part_that_is_killed_comes_back(hub: Running) -> None:
    assert hub.url

    def indexers() -> list[int]:
        return [pid for pid, command in hub.children().items() if "run_indexer" in command]

    assert eventually(lambda: len(indexers()) == 1)
    first = indexers()[0]
    os.kill(first, signal.SIGKILL)
    assert eventually(lambda: len(indexers()) == 1 and indexers() != [first])
    assert "The indexer ended (SIGKILL); starting it again in 0.5 s." in hub.said


def test_ctrl_c_stops_everything_within_seconds(tmp_path: Path) -> None:
    hub = _start(tmp_path / "data")
    assert hub.url
    assert eventually(lambda: len(hub.children()) >= 4)
    children = hub.children()
    asked = time.monotonic()
    hub.process.send_signal(signal.SIGINT)
    assert hub.process.wait(30) == 0
    assert time.monotonic() - asked < 10
    assert hub.said.endswith("Stopping …\nThe hub has stopped.\n")
    assert {pid: command for pid, command in children.items() if is_alive(pid)} == {}


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends children with their parent")
def test_a_hub_that_is_killed_leaves_nothing_running_and_its_folder_free(tmp_path: Path) -> None:
    hub = _start(tmp_path / "data")
    assert hub.url
    assert eventually(lambda: len(hub.children()) >= 4)
    children = hub.children()
    hub.process.kill()
    hub.process.wait()
    assert eventually(lambda: not any(is_alive(pid) for pid in children))
    again = _start(tmp_path / "data")
    assert again.url
    again.process.terminate()
    assert again.process.wait(30) == 0
