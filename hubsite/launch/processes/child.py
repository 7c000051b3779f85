"""One child process of the supervisor: how it is started, stopped, and kept from outliving its parent."""

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

_PR_SET_PDEATHSIG = 1
# Loaded here: between fork and exec nothing may be imported.
_LIBC = ctypes.CDLL(None) if sys.platform == "linux" else None


@dataclass(frozen=True)
class ChildSpec:
    """What to run. Output goes to `log`, or to the terminal if it is None.

    `stop_signal` asks it to end at once and in order. `lasting` says whether its end is a fault.
    """

    name: str
    command: tuple[str, ...]
    log: Path | None
    environment: Mapping[str, str] = field(default_factory=dict)
    sockets: tuple[int, ...] = ()
    stop_signal: signal.Signals = signal.SIGTERM
    lasting: bool = True


class Child:
    """A running ChildSpec, the leader of a process group of its own."""

    def __init__(self, spec: ChildSpec) -> None:
        """Start it. Raises OSError."""
        self.spec = spec
        self.started_at = time.monotonic()
        self._process = _start(spec)

    @property
    def pid(self) -> int:
        """Its process id, which is its group's id too."""
        return self._process.pid

    def exit_code(self) -> int | None:
        """None while it runs; negative numbers are signals."""
        return self._process.poll()

    def ask_to_stop(self) -> None:
        """Send its stop signal; it does the rest."""
        if self.exit_code() is None:
            self._process.send_signal(self.spec.stop_signal)

    def wait(self, seconds: float | None = None) -> bool:
        """Whether it ended within `seconds`; None waits for as long as it takes."""
        try:
            self._process.wait(seconds if seconds is None else max(0.0, seconds))
        except subprocess.TimeoutExpired:
            return False
        return True

    def kill_group(self) -> None:
        """End it and what it started, at once; what has already gone is no fault."""
        with suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
        self._process.wait()


def _start(spec: ChildSpec) -> "subprocess.Popen[bytes]":
    parent = os.getpid()

    def bind_to_parent() -> None:
        """In the child, before exec: a supervisor that is killed takes its children along."""
        if _LIBC is not None:
            _LIBC.prctl(_PR_SET_PDEATHSIG, int(spec.stop_signal))
            if os.getppid() != parent:
                os._exit(1)

    output = None if spec.log is None else spec.log.open("ab")
    try:
        return subprocess.Popen(  # noqa: S603 - our own commands
            spec.command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=None if output is None else subprocess.STDOUT,
            env={**os.environ, **spec.environment},
            pass_fds=spec.sockets,
            # Ctrl-C in the terminal reaches the supervisor alone, which stops the children in order.
            start_new_session=True,
            # Safe here: the supervisor has one thread, and the function makes nothing but system calls.
            preexec_fn=bind_to_parent,
        )
    finally:
        if output is not None:
            output.close()
