"""The processes that make up a hub on one machine."""

import os
import sys
from pathlib import Path

from hubsite.launch.processes.child import ChildSpec
from hubsite.launch.processes.logs import log_file

# A request waits for disk or database most of its time; two processes use both cores of a small machine.
_WEB_PROCESSES = 2
_WEB_THREADS = 16
# Long lines: the model-hub protocol puts whole file paths, percent-encoded, into one URL.
_URL_LENGTH = 8190


def web(root: Path, logs: Path, listener: int) -> ChildSpec:
    """The site; `listener` is the descriptor of its listening socket."""
    return ChildSpec("web", _gunicorn(root, listener), log_file(logs, "web"), sockets=(listener,))


def behind_the_site(root: Path, logs: Path) -> list[ChildSpec]:
    """The indexer, and the worker with the clock that brings lost runs back to it."""
    indexer = (sys.executable, str(root / "manage.py"), "run_indexer", "--parent", str(os.getpid()))
    worker = (sys.executable, "-m", "celery", "--workdir", str(root), "-A", "workers.app", "worker")
    options = ("--pool", "solo", "--beat", "--loglevel", "INFO")
    return [
        ChildSpec("indexer", indexer, log_file(logs, "indexer")),
        ChildSpec("worker", (*worker, *options), log_file(logs, "worker")),
    ]


def _gunicorn(root: Path, listener: int) -> tuple[str, ...]:
    options = {
        "bind": f"fd://{listener}",
        "chdir": str(root),
        "worker-class": "gthread",
        "workers": str(_WEB_PROCESSES),
        "threads": str(_WEB_THREADS),
        "timeout": "120",
        "graceful-timeout": "3",
        "keep-alive": "5",
        "limit-request-line": str(_URL_LENGTH),
    }
    flags = [word for name, value in options.items() for word in (f"--{name}", value)]
    return (sys.executable, "-m", "gunicorn", "hubsite.wsgi:application", "--no-control-socket", *flags)
