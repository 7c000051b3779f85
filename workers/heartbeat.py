"""Signs of life while the worker itself is busy and cannot give them between two lines of a child."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection

from hubsite.validation.services import runs
from hubsite.validation.services.runs import Claim, ClaimLost

SECONDS = 2.0


@contextmanager
def beating(claim: Claim) -> Iterator[None]:
    """Give a sign of life every SECONDS until the block ends; no thread is left then, so forking is safe."""
    done = threading.Event()
    thread = threading.Thread(target=_beat, args=(claim, done), name="heartbeat")
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


def _beat(claim: Claim, done: threading.Event) -> None:
    try:
        while not done.wait(SECONDS):
            runs.heartbeat(claim)
    except ClaimLost:
        return  # the next write of the worker itself finds out
    finally:
        connection.close()
