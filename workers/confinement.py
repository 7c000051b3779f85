"""What a child process gives up before it reads a stranger's bytes: files, sockets, network, memory.

Linux does the most: no network (an empty network namespace), death together with the worker. Elsewhere
the resource limits remain. What was reached is returned, for the log of the run.
"""

import ctypes
import math
import os
import resource
import signal
import stat
import sys
from dataclasses import dataclass
from pathlib import Path

OUTPUT_FILE = "output.txt"
_PR_SET_PDEATHSIG = 1
_PR_SET_NO_NEW_PRIVS = 38
_CLONE_NEWUSER = 0x10000000
_CLONE_NEWNET = 0x40000000
# All that a check needs of the environment; tokens and addresses of services stay behind.
_KEPT_VARIABLES = (
    "PATH",
    "LANG",
    "LC_ALL",
    "TZ",
    "LD_LIBRARY_PATH",
    "CUDA_VISIBLE_DEVICES",
    "OMP_NUM_THREADS",
    "OMP_WAIT_POLICY",
)


@dataclass(frozen=True)
class Limits:
    """Seconds of wall clock, bytes of memory above what the worker holds already, bytes per written file."""

    seconds: float
    memory: int
    file_bytes: int = 256 * 1024**2
    open_files: int = 256
    network: bool = False


def confine(folder: Path, limits: Limits, parent: int) -> list[str]:
    """Shut the calling process in; returns in words what could be done. Raises OSError if a limit fails."""
    _die_with(parent)
    os.setsid()
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGCHLD, signal.SIGHUP, signal.SIGALRM):
        signal.signal(number, signal.SIG_DFL)
    _drop_inherited_files()
    _redirect_output(folder / OUTPUT_FILE)
    os.chdir(folder)
    _clean_environment(folder)
    reached = [_leave_network()] if not limits.network else []
    _limit_resources(limits)
    if sys.platform == "linux":
        _prctl(_PR_SET_NO_NEW_PRIVS, 1)
    return reached


def _die_with(parent: int) -> None:
    if sys.platform != "linux":
        return
    _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:  # it died before the line above
        os._exit(1)


def _drop_inherited_files() -> None:
    """Close the worker's sockets and files by descriptor alone.

    Closing the database's connection object would tell the server to end the worker's own session.
    Pipes stay: one of them is ours.
    """
    for name in os.listdir("/dev/fd"):
        descriptor = int(name)
        if descriptor <= 2:
            continue
        try:
            mode = os.fstat(descriptor).st_mode
        except OSError:  # the listing's own descriptor
            continue
        if stat.S_ISSOCK(mode) or stat.S_ISREG(mode):
            os.close(descriptor)


def _redirect_output(path: Path) -> None:
    nothing = os.open(os.devnull, os.O_RDONLY)
    output = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND, 0o600)
    os.dup2(nothing, 0)
    os.dup2(output, 1)
    os.dup2(output, 2)
    os.close(nothing)
    os.close(output)
    # The worker's own streams may have gone through files that are closed now.
    sys.stdout = open(1, "w", buffering=1, closefd=False)  # noqa: SIM115 - open for the child's whole life
    sys.stderr = open(2, "w", buffering=1, closefd=False)  # noqa: SIM115


def _clean_environment(folder: Path) -> None:
    kept = {name: os.environ[name] for name in _KEPT_VARIABLES if name in os.environ}
    os.environ.clear()
    os.environ.update(kept)
    os.environ.update(
        HOME=str(folder),
        TMPDIR=str(folder),
        HF_HUB_OFFLINE="1",
        HF_HUB_DISABLE_TELEMETRY="1",
        TOKENIZERS_PARALLELISM="false",
    )


def _leave_network() -> str:
    """Move into an empty network namespace, if need be by way of a user namespace of its own."""
    if sys.platform != "linux":
        return "network not isolated (only Linux can)"
    user, group = os.geteuid(), os.getegid()
    if _unshare(_CLONE_NEWNET):
        return "no network"
    if _unshare(_CLONE_NEWUSER | _CLONE_NEWNET):
        _map_identity(user, group)
        return "no network (user namespace)"
    return "network not isolated (not permitted here)"


def _map_identity(user: int, group: int) -> None:
    for file, text in (
        ("setgroups", "deny"),
        ("uid_map", f"{user} {user} 1"),
        ("gid_map", f"{group} {group} 1"),
    ):
        Path("/proc/self", file).write_text(text)


def _limit_resources(limits: Limits) -> None:
    """Set hard limits. RLIMIT_NPROC is left alone: it counts all threads of the user, in any process."""
    cpu = math.ceil(limits.seconds * (os.cpu_count() or 1)) + 1
    wanted = {
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_CPU: cpu,
        resource.RLIMIT_FSIZE: limits.file_bytes,
        resource.RLIMIT_NOFILE: limits.open_files,
    }
    if sys.platform == "linux":
        wanted[resource.RLIMIT_DATA] = memory_of(os.getpid(), "VmData") + limits.memory
    for kind, value in wanted.items():
        hard = resource.getrlimit(kind)[1]
        value = value if hard == resource.RLIM_INFINITY else min(value, hard)
        resource.setrlimit(kind, (value, value))


def memory_of(pid: int, field: str) -> int:
    """A size in bytes from /proc/PID/status; 0 where there is none (not Linux, or the process is gone)."""
    try:
        text = Path(f"/proc/{pid}/status").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return 0
    for line in text.splitlines():
        if line.startswith(f"{field}:"):
            return int(line.split()[1]) * 1024
    return 0


def die_with_parent() -> None:
    """Let the kernel end this process when its parent ends."""
    _die_with(os.getppid())


def _prctl(option: int, value: int) -> None:
    if _libc().prctl(option, value, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), f"prctl({option}) was refused")


def _unshare(flags: int) -> bool:
    return bool(_libc().unshare(flags) == 0)


def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)
