"""One child process per piece of untrusted work: started, watched, and always ended by the worker.

The child speaks in lines over a pipe. The worker alone decides what they mean, and writes to the database.
"""

import errno
import multiprocessing
import os
import selectors
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from multiprocessing.connection import Connection
from multiprocessing.context import ForkContext, SpawnContext
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any, Literal

from workers.confinement import OUTPUT_FILE, Limits, confine, memory_of

MAX_LINE = 64 * 1024
# How often the watcher looks at memory, clock and its own orders, in seconds.
_PULSE = 0.2
_LAST_WORDS = 4000
# How long a child that has closed its pipe may take to be gone, in seconds.
_FAREWELL = 5.0
_OUT_OF_MEMORY = 75
_PYTHON_FAILED = 1

Emit = Callable[[bytes], None]
Job = Callable[[Any, Emit, list[str]], None]


class End(StrEnum):
    """How a child ended."""

    DONE = "done"
    TIMEOUT = "timeout"
    MEMORY = "memory"
    # Ended by a signal, or by an exit that is not ours.
    CRASH = "crash"
    # An exception that no check expected: our mistake.
    FAULT = "fault"
    STOPPED = "stopped"


@dataclass(frozen=True)
class Ending:
    """How a child ended, in words, and the last of what it printed."""

    end: End
    reason: str = ""
    output: str = ""


@dataclass(frozen=True)
class Watch:
    """What the worker does meanwhile: take lines, say it is alive, listen for its own end."""

    on_line: Callable[[bytes], None]
    on_pulse: Callable[[], None] = lambda: None
    stopping: Callable[[], bool] = lambda: False


def supervise(
    job: Job,
    argument: Any,
    *,
    folder: Path,
    limits: Limits,
    watch: Watch,
    start: Literal["fork", "spawn"] = "fork",
) -> Ending:
    """Run `job(argument, emit, isolation)` in a confined child with `folder` as its working directory.

    The child is gone when this returns or raises. With `spawn`, job and argument must be picklable.
    """
    context: ForkContext | SpawnContext = (
        multiprocessing.get_context("fork") if start == "fork" else multiprocessing.get_context("spawn")
    )
    reader, writer = context.Pipe(duplex=False)
    child = context.Process(target=_child, args=(job, argument, writer, folder, limits, os.getpid()))
    ceiling = memory_of(os.getpid(), "RssAnon") + limits.memory
    child.start()
    writer.close()
    try:
        ended = _listen(child, reader, time.monotonic() + limits.seconds, ceiling, watch)
        ending = ended or _farewell(child)
    finally:
        _kill(child)
        reader.close()
    return Ending(ending.end, ending.reason, _last_words(folder))


def _child(job: Job, argument: Any, writer: Connection, folder: Path, limits: Limits, parent: int) -> None:
    """The child's whole life. An exception leaves a traceback in its output and exit code 1."""
    isolation = confine(folder, limits, parent)
    try:
        job(argument, lambda line: _write(writer.fileno(), line), isolation)
    except MemoryError:
        os._exit(_OUT_OF_MEMORY)
    except (RuntimeError, OSError) as error:
        if _means_memory(error):
            os._exit(_OUT_OF_MEMORY)
        raise


def _means_memory(error: RuntimeError | OSError) -> bool:
    if isinstance(error, OSError):
        return error.errno == errno.ENOMEM
    # torch has no exception type of its own for the allocator of the CPU.
    return any(words in str(error) for words in ("can't allocate memory", "bad_alloc", "out of memory"))


def _write(descriptor: int, line: bytes) -> None:
    data = line + b"\n"
    while data:
        data = data[os.write(descriptor, data) :]


def _listen(
    child: BaseProcess, reader: Connection, deadline: float, ceiling: int, watch: Watch
) -> Ending | None:
    """Hand on lines until the pipe closes (None) or the child has to be ended for a reason of ours."""
    rest = b""
    with selectors.DefaultSelector() as selector:
        selector.register(reader, selectors.EVENT_READ)
        while True:
            if watch.stopping():
                return Ending(End.STOPPED, "the worker is stopping")
            if time.monotonic() > deadline:
                return Ending(End.TIMEOUT, "wall clock")
            if memory_of(child.pid or 0, "RssAnon") > ceiling:
                return Ending(End.MEMORY, "resident memory")
            watch.on_pulse()
            if not selector.select(_PULSE):
                continue
            chunk = os.read(reader.fileno(), MAX_LINE)
            if not chunk:
                return None
            *lines, rest = (rest + chunk).split(b"\n")
            if len(rest) > MAX_LINE:
                return Ending(End.CRASH, "a line without end")
            for line in lines:
                watch.on_line(line)


def _farewell(child: BaseProcess) -> Ending:
    """Read the exit code of a child that has closed its pipe."""
    until = time.monotonic() + _FAREWELL
    while child.exitcode is None and time.monotonic() < until:
        time.sleep(0.01)
    code = child.exitcode
    if code is None:
        return Ending(End.CRASH, "it closed its pipe and went on")
    if code == 0:
        return Ending(End.DONE)
    if code in (_OUT_OF_MEMORY, -signal.SIGKILL):  # the kernel kills for want of memory; we have not
        return Ending(End.MEMORY, "allocation")
    if code == -signal.SIGXCPU:
        return Ending(End.TIMEOUT, "processor time")
    if code == _PYTHON_FAILED:
        return Ending(End.FAULT, "an unexpected exception")
    return Ending(End.CRASH, signal.Signals(-code).name if code < 0 else f"exit code {code}")


def _kill(child: BaseProcess) -> None:
    """End the child and all it started; it leads a process group of its own once it is confined."""
    if child.pid is not None:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(child.pid, signal.SIGKILL)
    if child.exitcode is None:
        child.kill()
    child.join()
    child.close()


def _last_words(folder: Path) -> str:
    try:
        with (folder / OUTPUT_FILE).open("rb") as output:
            size = output.seek(0, os.SEEK_END)
            output.seek(max(0, size - _LAST_WORDS))
            return output.read(_LAST_WORDS).decode("utf-8", "replace").replace("\x00", "")
    except OSError:
        return ""
