"""Looking at processes from outside: is one alive, and waiting until something holds."""

import time
from collections.abc import Callable
from pathlib import Path

import psutil

PATIENCE = 20.0


def is_alive(pid: int) -> bool:
    """Whether `pid` runs; a zombie does not."""
    try:
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def eventually(condition: Callable[[], bool]) -> bool:
    """Whether `condition` holds within PATIENCE seconds."""
    deadline = time.monotonic() + PATIENCE
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def number_in(path: Path) -> int:
    """The number that a process writes to `path`, waited for."""
    assert eventually(lambda: path.exists() and path.read_text().endswith("\n"))
    return int(path.read_text())
