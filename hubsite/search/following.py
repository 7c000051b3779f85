"""The indexer's loop: poll the outbox until told to stop, and outlive a database or a disk that is away."""

import logging
import os
from threading import Event

from django.db import Error, close_old_connections

from hubsite.search.index_folder import IndexFolder
from hubsite.search.indexer import StoppedError, follow_once

logger = logging.getLogger(__name__)

# How long a change may wait unseen, well within the 2 s in which it must be findable.
_POLL_SECONDS = 0.25
_BACK_OFF_SECONDS = 3.0


def follow(folder: IndexFolder, stop: Event) -> None:
    """Follow the outbox until `stop` is set or the process that started this one is gone."""
    parent = os.getppid()
    while not stop.is_set() and os.getppid() == parent:
        stop.wait(_step(folder, stop))


def _step(folder: IndexFolder, stop: Event) -> float:
    """One round; returns the seconds to wait before the next."""
    try:
        return 0.0 if follow_once(folder, stop) else _POLL_SECONDS
    except StoppedError:
        return 0.0
    except (Error, OSError, ValueError) as error:
        # ValueError is tantivy's for every fault of its files. Nothing is lost: the outbox keeps it.
        logger.error("The search index was not brought up to date and will be tried again: %s", error)
        close_old_connections()
        return _BACK_OFF_SECONDS
