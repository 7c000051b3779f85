"""What must be true of the machine before anything is started."""

import errno
import fcntl
import os
import shutil
import socket
from pathlib import Path
from typing import TextIO

from hubsite.launch.errors import CannotStart

_LOCK = "hub.lock"
_BACKLOG = 512
_MEGABYTE = 1024**2


def check_folder(folder: Path, *, needed: int) -> None:
    """Make `folder` and see that it can be written and has `needed` free bytes. Raises CannotStart."""
    probe = folder / f".probe-{os.getpid()}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe.write_bytes(b"\0" * 4096)
        probe.unlink()
        free = shutil.disk_usage(folder).free
    except OSError as error:
        if error.errno == errno.ENOSPC:
            raise _full(folder, 0, needed) from None
        raise CannotStart(
            f"The data folder {folder} cannot be written ({error.strerror}); "
            "name another with --data-dir or HUB_DATA_DIR."
        ) from None
    if free < needed:
        raise _full(folder, free, needed)


def lock_folder(folder: Path) -> TextIO:
    """The lock on `folder`, held until the returned file is closed. Raises CannotStart if a hub has it."""
    path = folder / _LOCK
    file = path.open("a+")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.seek(0)
        holder = file.read().strip() or "unknown"
        file.close()
        raise CannotStart(
            f"Another hub (process {holder}) already uses {folder}; stop it, "
            "or name another folder with --data-dir."
        ) from None
    file.truncate(0)
    file.write(str(os.getpid()))
    file.flush()
    return file


def listen(host: str, port: int) -> socket.socket:
    """A listening socket on `host`:`port` (0 picks a free port). Raises CannotStart.

    The supervisor holds it, so callers wait while the site starts or restarts instead of being refused.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(_BACKLOG)
    except (OSError, OverflowError) as error:
        listener.close()
        raise CannotStart(_cannot_listen(host, port, error)) from None
    return listener


def _cannot_listen(host: str, port: int, error: OSError | OverflowError) -> str:
    if isinstance(error, OverflowError):
        return f"{port} is no port; choose one from 0 to 65535 with --port."
    if error.errno == errno.EADDRINUSE:
        return (
            f"Port {port} on {host} is in use; stop the program that has it, or choose another with --port."
        )
    if error.errno == errno.EACCES:
        return f"Port {port} may only be used by the system; choose one above 1023 with --port."
    return f"The site cannot listen on {host}, port {port} ({error.strerror}); check --host and --port."


def _full(folder: Path, free: int, needed: int) -> CannotStart:
    return CannotStart(
        f"The disk that holds {folder} is full: {free // _MEGABYTE} MB are free and "
        f"{needed // _MEGABYTE} MB are needed; make room, or name another folder with --data-dir."
    )
