"""One hub on one machine, from the first check to the last child's end."""

import os
import socket
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from hubsite.launch import checks, demo, parts
from hubsite.launch.database import bring_up_to_date
from hubsite.launch.processes.child import ChildSpec
from hubsite.launch.processes.supervisor import Supervisor
from hubsite.launch.readiness import answers

# Bytes that must be free: the demo stores a backbone, keeps a second copy for training, and unpacks a third.
_SPACE = 64 * 1024**2
_SPACE_WITH_DEMO = 600 * 1024**2
_PATIENCE = 60.0

Say = Callable[[str], object]


@dataclass(frozen=True)
class Launch:
    """What `manage.py hub` was asked for. `backbone` is a local folder for the demo, or None."""

    root: Path
    data_dir: Path
    host: str
    port: int
    with_demo: bool
    backbone: Path | None = None

    @property
    def logs(self) -> Path:
        """Where the children's output goes."""
        return self.data_dir / "logs"


def run(launch: Launch, say: Say) -> None:
    """Start the hub and keep it running until a signal says stop. Raises CannotStart."""
    started = time.monotonic()
    wants_demo = launch.with_demo and not demo.is_prepared(launch.data_dir)
    checks.check_folder(launch.data_dir, needed=_SPACE_WITH_DEMO if wants_demo else _SPACE)
    with checks.lock_folder(launch.data_dir), checks.listen(launch.host, launch.port) as listener:
        url = _url(launch.host, listener)
        _tell_children(launch, url)
        bring_up_to_date(say)
        supervisor = Supervisor(say)
        supervisor.stop_on_signals()
        try:
            supervisor.start([parts.web(launch.root, launch.logs, listener.fileno())])
            _wait_for_site(supervisor, launch, url, started, say)
            supervisor.start(parts.behind_the_site(launch.root, launch.logs))
            if wants_demo:
                _prepare_demo(supervisor, launch, url, say)
            supervisor.watch()
        finally:
            say("Stopping …")
            supervisor.stop()
    say("The hub has stopped.")


def _wait_for_site(supervisor: Supervisor, launch: Launch, url: str, started: float, say: Say) -> None:
    """The site comes first and alone, since people wait for it."""
    deadline = time.monotonic() + _PATIENCE
    supervisor.watch(until=lambda: answers(url) or time.monotonic() > deadline)
    if time.monotonic() > deadline:
        say(f"The site does not answer yet; {launch.logs / 'web.log'} says why.")
    elif not supervisor.stopping:
        say(f"The hub is at {url} (ready in {time.monotonic() - started:.1f} s). Ctrl-C stops it.")


def _prepare_demo(supervisor: Supervisor, launch: Launch, url: str, say: Say) -> None:
    supervisor.start([_demo(launch, url)])
    supervisor.watch(until=lambda: not supervisor.has("demo"))
    if not supervisor.stopping:
        say(f"The hub goes on at {url}. Ctrl-C stops it.")


def _demo(launch: Launch, url: str) -> ChildSpec:
    command = [sys.executable, str(launch.root / "manage.py"), "prepare_demo", "--url", url]
    if launch.backbone is not None:
        command += ["--backbone", str(launch.backbone)]
    return ChildSpec("demo", tuple(command), log=None, lasting=False)


def _tell_children(launch: Launch, url: str) -> None:
    """Children read the same settings from the environment, whatever their working folder is."""
    os.environ["HUB_DATA_DIR"] = str(launch.data_dir)
    os.environ.setdefault("HUB_PUBLIC_URL", url)
    local = ("127.0.0.1", "localhost", "[::1]")
    if launch.host not in local:
        os.environ.setdefault("HUB_ALLOWED_HOSTS", ",".join((*local, launch.host, socket.gethostname())))


def _url(host: str, listener: socket.socket) -> str:
    """Where this machine reaches the site; a host that stands for all addresses is reached by loopback."""
    port = listener.getsockname()[1]
    reachable = {"0.0.0.0": "127.0.0.1", "": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - compared only
    return f"http://[{reachable}]:{port}" if ":" in reachable else f"http://{reachable}:{port}"
