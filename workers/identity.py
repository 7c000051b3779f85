"""The name of a worker process, so exact that another one on this machine can tell whether it still lives."""

import os
import socket
from pathlib import Path


def own_name() -> str:
    """`host/boot/space:pid:start`: never the same for two processes, not even after a restart."""
    return f"{_home()}:{os.getpid()}:{_started(os.getpid())}"


def is_gone(name: str) -> bool:
    """Whether the worker of this name has certainly ended; of workers elsewhere nothing is known (False)."""
    home, _, rest = name.partition(":")
    pid, _, started = rest.partition(":")
    if home != _home() or not pid.isdecimal():
        return False
    return _started(int(pid)) != started


def _home() -> str:
    """Where process numbers mean the same: one boot of one machine, one process namespace."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()[:8]
        space = os.readlink("/proc/self/ns/pid").strip("pid:[]")
    except OSError:
        return f"{socket.gethostname()}/unknown"
    return f"{socket.gethostname()}/{boot}/{space}"


def _started(pid: int) -> str:
    """When a process started, in clock ticks since boot; empty if there is no such process."""
    try:
        # The name in brackets may hold spaces, so count from its end: the 22nd field is the 20th after it.
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]
    except (OSError, IndexError):
        return ""
