"""The indexer's loop: poll the outbox until told to stop, and outlive a database or a disk that is away."""

import logging
import os
import time
from dataclasses import dataclass, field
from threading import Event

from django.db import Error, close_old_connections

from hubsite.search.counters import mark_changed_counts
from hubsite.search.index_folder import IndexFolder
from hubsite.search.indexer import StoppedError, follow_once
from hubsite.search.reader import Reader

logger = logging.getLogger(__name__)

# How long a change may wait unseen, well within the 2 s in which it must be findable.
_POLL_SECONDS = 0.25
_BACK_OFF_SECONDS = 3.0
# Downloads and likes may be this old in lists; comparing them never takes more than a twentieth of the time.
_COUNTS_SECONDS = 30.0
_COUNTS_SHARE = 20


def follow(folder: IndexFolder, stop: Event, parent: int) -> None:
    """Follow the outbox until `stop` is set or this process is no child of `parent` any more."""
    rounds = _Rounds(folder, stop)
    while not stop.is_set() and os.getppid() == parent:
        stop.wait(_step(rounds))


@dataclass
class _Rounds:
    folder: IndexFolder
    stop: Event
    reader: Reader = field(default_factory=Reader)
    counts_due: float = 0.0

    def next(self) -> int:
        """Bring one batch in; when there is none, and it is time, look for changed counts."""
        done = follow_once(self.folder, self.stop)
        if not done and time.monotonic() >= self.counts_due:
            begun = time.monotonic()
            searcher = self.reader.searcher(self.folder)
            done = mark_changed_counts(searcher) if searcher else 0
            self.counts_due = begun + max(_COUNTS_SECONDS, _COUNTS_SHARE * (time.monotonic() - begun))
        return done


def _step(rounds: _Rounds) -> float:
    """One round; returns the seconds to wait before the next."""
    try:
        return 0.0 if rounds.next() else _POLL_SECONDS
    except StoppedError:
        return 0.0
    except (Error, OSError, ValueError) as error:
        # ValueError is tantivy's for every fault of its files. Nothing is lost: the outbox keeps it.
        logger.error("The search index was not brought up to date and will be tried again: %s", error)
        if isinstance(error, Error):
            close_old_connections()
        return _BACK_OFF_SECONDS
