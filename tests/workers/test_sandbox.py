"""Children that misbehave, each in its own way: the worker goes on, and says what happened."""

import ctypes
import faulthandler
import os
import signal
import socket
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from workers.confinement import Limits
from workers.sandbox import Emit, End, Ending, Watch, supervise

MEBIBYTE = 1024**2


def run(job: Any, folder: Path, *, seconds: float = 20, memory: int = 256 * MEBIBYTE, **watch: Any) -> Ending:
    watch.setdefault("on_line", lambda line: None)
    limits = Limits(seconds=seconds, memory=memory)
    return supervise(job, None, folder=folder, limits=limits, watch=Watch(**watch))


def say_two_lines(argument: Any, emit: Emit, isolation: list[str]) -> None:
    emit(b"one")
    emit(b"two")


def take_memory(argument: Any, emit: Emit, isolation: list[str]) -> None:
    held = bytearray(1024 * MEBIBYTE)
    emit(str(len(held)).encode())


def take_memory_through_the_system(argument: Any, emit: Emit, isolation: list[str]) -> None:
    import mmap

    block = mmap.mmap(-1, 600 * MEBIBYTE, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    block.write(b"x" * len(block))
    emit(b"written")


def never_end(argument: Any, emit: Emit, isolation: list[str]) -> None:
    while True:
        pass


def leave_early(argument: Any, emit: Emit, isolation: list[str]) -> None:
    os._exit(3)


def read_address_zero(argument: Any, emit: Emit, isolation: list[str]) -> None:
    faulthandler.disable()  # pytest's own, which would write the traceback between the results
    ctypes.string_at(0)


def fail(argument: Any, emit: Emit, isolation: list[str]) -> None:
    raise ZeroDivisionError("a check has a mistake")


def write_a_large_file(argument: Any, emit: Emit, isolation: list[str]) -> None:
    try:
        with Path("large").open("wb") as file:
            file.truncate(300 * MEBIBYTE)
    except OSError as error:
        emit(str(error.errno).encode())


def shout_without_end(argument: Any, emit: Emit, isolation: list[str]) -> None:
    emit(b"x" * (200 * 1024))


def tell_of_itself(argument: Any, emit: Emit, isolation: list[str]) -> None:
    emit(str(os.environ.get("HUB_SECRET_KEY")).encode())
    emit(os.getcwd().encode())
    emit(str(sorted(os.listdir("/proc/self/fd"))).encode())


def start_a_grandchild(argument: Any, emit: Emit, isolation: list[str]) -> None:
    grandchild = os.fork()
    if grandchild == 0:
        time.sleep(60)
    emit(str(grandchild).encode())
    never_end(argument, emit, isolation)


def gone(pid: int) -> bool:
    """Whether a process has ended; a zombie that nobody reaps counts as ended."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] == "Z"
    except FileNotFoundError:
        return True


def wait_until(true: Callable[[], bool], seconds: float = 5) -> bool:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if true():
            return True
        time.sleep(0.02)
    return False


def test_lines_arrive_in_order(tmp_path: Path) -> None:
    lines: list[bytes] = []
    assert run(say_two_lines, tmp_path, on_line=lines.append).end == End.DONE
    assert lines == [b"one", b"two"]


@pytest.mark.parametrize("job", [take_memory, take_memory_through_the_system])
def test_memory_is_limited(job: Any, tmp_path: Path) -> None:
    lines: list[bytes] = []
    assert run(job, tmp_path, on_line=lines.append).end == End.MEMORY
    assert lines == []


def test_an_endless_loop_is_ended(tmp_path: Path) -> None:
    began = time.monotonic()
    assert run(never_end, tmp_path, seconds=0.5).end == End.TIMEOUT
    assert time.monotonic() - began < 5


def test_an_early_exit_is_a_crash(tmp_path: Path) -> None:
    assert run(leave_early, tmp_path) == Ending(End.CRASH, "exit code 3", "")


def test_a_segmentation_fault_names_its_signal(tmp_path: Path) -> None:
    ending = run(read_address_zero, tmp_path)
    assert (ending.end, ending.reason) == (End.CRASH, "SIGSEGV")


def test_an_exception_is_our_fault_and_keeps_its_traceback(tmp_path: Path) -> None:
    ending = run(fail, tmp_path)
    assert ending.end == End.FAULT
    assert "ZeroDivisionError: a check has a mistake" in ending.output


def test_files_are_limited(tmp_path: Path) -> None:
    lines: list[bytes] = []
    run(write_a_large_file, tmp_path, on_line=lines.append)
    assert lines == [b"27"]  # EFBIG
    assert (tmp_path / "large").stat().st_size <= 256 * MEBIBYTE


def test_a_line_without_end_is_a_crash(tmp_path: Path) -> None:
    lines: list[bytes] = []
    assert run(shout_without_end, tmp_path, on_line=lines.append).end == End.CRASH
    assert lines == []


def test_the_child_has_no_secrets_and_no_files_of_the_worker(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HUB_SECRET_KEY", "do-not-tell")
    lines: list[bytes] = []
    secret = tmp_path / "secret"
    secret.write_text("do-not-tell")
    with secret.open() as held, socket.socket() as open_socket:
        assert run(tell_of_itself, tmp_path, on_line=lines.append).end == End.DONE
        descriptors = {str(held.fileno()), str(open_socket.fileno())}
    assert lines[0] == b"None"
    assert lines[1] == str(tmp_path).encode()
    assert not descriptors & set(eval(lines[2]))  # noqa: S307 - the child is this file's own function


def test_the_network_is_out_of_reach(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]

        def call_home(argument: Any, emit: Emit, isolation: list[str]) -> None:
            emit(", ".join(isolation).encode())
            try:
                socket.create_connection(("127.0.0.1", port), timeout=2).close()
                emit(b"connected")
            except OSError:
                emit(b"refused")

        lines: list[bytes] = []
        assert run(call_home, tmp_path, on_line=lines.append).end == End.DONE
    isolated = lines[0].startswith(b"no network")
    assert lines[1] == (b"refused" if isolated else b"connected")


def test_a_stopping_worker_takes_its_child_along(tmp_path: Path) -> None:
    assert run(never_end, tmp_path, stopping=lambda: True).end == End.STOPPED


def test_an_exception_in_the_worker_ends_the_child_and_its_children(tmp_path: Path) -> None:
    grandchildren: list[int] = []

    def lose_the_claim(line: bytes) -> None:
        grandchildren.append(int(line))
        raise LookupError("the claim is gone")

    with pytest.raises(LookupError):
        run(start_a_grandchild, tmp_path, on_line=lose_the_claim)
    assert wait_until(lambda: gone(grandchildren[0]))


@pytest.mark.parametrize("user", ["own", "nobody"])
def test_a_killed_worker_takes_its_child_along(user: str, tmp_path: Path) -> None:
    """kill -9 gives the worker no chance to clean up: the kernel does it, for workers without rights too."""
    if user == "nobody" and os.geteuid() != 0:
        pytest.skip("only root can become nobody")
    run(say_two_lines, tmp_path)  # nobody may be unable to read, and so to import, what this imports
    work = tempfile.TemporaryDirectory(dir="/tmp")
    open_to_all = Path(work.name)
    open_to_all.chmod(0o777)
    told = open_to_all / "child"

    def tell_and_hang(argument: Any, emit: Emit, isolation: list[str]) -> None:
        told.write_text(str(os.getpid()))
        never_end(argument, emit, isolation)

    worker = os.fork()
    if worker == 0:
        if user == "nobody":
            os.setgroups([])
            os.setresgid(65534, 65534, 65534)
            os.setresuid(65534, 65534, 65534)
            ctypes.CDLL(None).prctl(4, 1, 0, 0, 0)  # PR_SET_DUMPABLE, as for a process that was started so
        run(tell_and_hang, open_to_all)
        os._exit(0)
    assert wait_until(lambda: told.exists() and told.read_text() != "")
    os.kill(worker, signal.SIGKILL)
    os.waitpid(worker, 0)
    assert wait_until(lambda: gone(int(told.read_text())))
    work.cleanup()
