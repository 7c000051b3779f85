"""Keeps a set of child processes running until it is told to stop, then leaves none behind."""

import signal
import threading
import time
from collections.abc import Callable, Iterable
from types import FrameType

from hubsite.launch.processes.child import Child, ChildSpec
from hubsite.launch.processes.restarts import Restarts

_LOOK_EVERY = 0.1
# Seconds that children have to end in order before they are killed.
_GRACE = 5.0

Say = Callable[[str], object]


class Supervisor:
    """`start` children, then `watch` them; `stop` ends them all. Used from the main thread only."""

    def __init__(self, say: Say) -> None:
        self._say = say
        self._children: dict[str, Child] = {}
        self._waiting: dict[str, tuple[float, ChildSpec]] = {}
        self._restarts = Restarts()
        self._asked = threading.Event()

    def stop_on_signals(self) -> None:
        """Ctrl-C, SIGTERM and a closed terminal end `watch`."""
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._on_signal)

    @property
    def stopping(self) -> bool:
        """Whether a signal has said stop."""
        return self._asked.is_set()

    def start(self, specs: Iterable[ChildSpec]) -> None:
        """Start each child, unless a signal has said stop."""
        for spec in () if self.stopping else specs:
            self._children[spec.name] = Child(spec)

    def watch(self, until: Callable[[], bool] = lambda: False) -> None:
        """Look after the children until `until()` holds or a signal says stop."""
        while not (self._asked.wait(_LOOK_EVERY) or until()):
            self._look_after_children()

    def has(self, name: str) -> bool:
        """Whether the child `name` is running or will be started again."""
        return name in self._children or name in self._waiting

    def stop(self) -> None:
        """Ask every child to end, wait a little, kill what is left with all that it started."""
        self._waiting.clear()
        for child in self._children.values():
            child.ask_to_stop()
        deadline = time.monotonic() + _GRACE
        for child in self._children.values():
            child.wait(deadline - time.monotonic())
        for child in self._children.values():
            child.kill_group()
        self._children.clear()

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        self._asked.set()

    def _look_after_children(self) -> None:
        for name, child in list(self._children.items()):
            code = child.exit_code()
            if code is not None:
                self._ended(name, child, code)
        for name, (due, spec) in list(self._waiting.items()):
            if time.monotonic() >= due:
                del self._waiting[name]
                self._children[name] = Child(spec)

    def _ended(self, name: str, child: Child, code: int) -> None:
        del self._children[name]
        child.kill_group()
        if not child.spec.lasting:
            return
        pause = self._restarts.pause(name, time.monotonic() - child.started_at)
        self._waiting[name] = (time.monotonic() + pause, child.spec)
        self._say(
            f"The {name} ended ({_reason(code)}); starting it again in {pause:g} s. See {child.spec.log}."
        )


def _reason(code: int) -> str:
    if code >= 0:
        return f"exit code {code}"
    try:
        return signal.Signals(-code).name
    except ValueError:
        return f"signal {-code}"
