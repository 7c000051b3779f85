"""A child writes to its log, stops when asked, and never outlives its supervisor."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from hubsite.launch.processes.child import Child, ChildSpec
from tests.hubsite.launch.processes.observed import eventually, is_alive, number_in

SLEEP = "import time; time.sleep(60)"
# A child that starts another one and tells its process id.
NESTED = """
import pathlib, subprocess, sys, time
inner = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
pathlib.Path(sys.argv[1]).write_text(f"{inner.pid}\\n")
time.sleep(60)
"""
# A supervisor of one child, which tells the child's process id.
PARENT = """
import pathlib, sys, time
from hubsite.launch.processes.child import Child, ChildSpec
child = Child(ChildSpec("inner", (sys.executable, "-c", "import time; time.sleep(60)"), log=None))
pathlib.Path(sys.argv[1]).write_text(f"{child.pid}\\n")
time.sleep(60)
"""


def _python(code: str, *arguments: str, log: Path) -> ChildSpec:
    return ChildSpec("python", (sys.executable, "-c", code, *arguments), log)


def test_output_and_errors_go_to_the_log_behind_what_is_there(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_text("before\n")
    code = "import os, sys; print(os.environ['WORD'], flush=True); print('bad', file=sys.stderr); sys.exit(3)"
    child = Child(ChildSpec("python", (sys.executable, "-c", code), log, environment={"WORD": "good"}))
    assert child.wait(20)
    assert child.exit_code() == 3
    assert log.read_text() == "before\ngood\nbad\n"


def test_it_gets_its_own_stop_signal(tmp_path: Path) -> None:
    spec = ChildSpec("python", (sys.executable, "-c", SLEEP), tmp_path / "log", stop_signal=signal.SIGQUIT)
    child = Child(spec)
    assert child.exit_code() is None
    assert not child.wait(0.01)
    child.ask_to_stop()
    assert child.wait(20)
    assert child.exit_code() == -signal.SIGQUIT
    child.ask_to_stop()  # nobody is left to be asked


def test_killing_the_group_ends_what_it_started(tmp_path: Path) -> None:
    child = Child(_python(NESTED, str(tmp_path / "pid"), log=tmp_path / "log"))
    inner = number_in(tmp_path / "pid")
    assert is_alive(inner)
    child.kill_group()
    assert eventually(lambda: not is_alive(inner))
    child.kill_group()  # a group that is gone is no fault


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends children with their parent")
def test_a_killed_supervisor_takes_its_children_along(tmp_path: Path) -> None:
    told = tmp_path / "pid"
    parent = subprocess.Popen([sys.executable, "-c", PARENT, str(told)])
    child = number_in(told)
    assert is_alive(child)
    os.kill(parent.pid, signal.SIGKILL)
    parent.wait()
    assert eventually(lambda: not is_alive(child))
