import os
import time
from collections.abc import Callable
from threading import Event, Thread

import pytest

from hubsite.search.following import follow
from hubsite.search.index_folder import IndexFolder


def follow_until(condition: Callable[[], object]) -> None:
    """Follow until the condition holds, for at most ten seconds."""
    stop, limit = Event(), time.monotonic() + 10

    def watch() -> None:
        while not condition() and time.monotonic() < limit:
            time.sleep(0.02)
        stop.set()

    Thread(target=watch).start()
    follow(IndexFolder.configured(), stop, os.getppid())


@pytest.mark.django_db
def test_a_disk_that_cannot_be_written_is_said_and_outlived(caplog: pytest.LogCaptureFixture) -> None:
    folder = IndexFolder.configured()
    folder.root.write_text("a file where the folder should be")
    follow_until(lambda: caplog.text)
    assert "will be tried again" in caplog.text
    folder.root.unlink()
    follow_until(folder.current)
    assert folder.current() is not None


def test_without_its_parent_it_does_nothing() -> None:
    folder = IndexFolder.configured()
    follow(folder, Event(), parent=-1)
    assert not folder.root.exists()
