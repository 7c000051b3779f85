"""The open index of this process, reloaded when another process has committed to it or rebuilt it."""

import logging
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock

import tantivy

from hubsite.search.analysis import ANALYZER, analyzer
from hubsite.search.index_folder import IndexFolder

logger = logging.getLogger(__name__)

# (inode, modified at, size) of the file that every commit replaces: enough to see that it was.
Stamp = tuple[int, int, int]


def open_index(generation: Path) -> tantivy.Index:
    """The index of one generation with our analyzer. Raises ValueError if its files are damaged or gone."""
    index = tantivy.Index.open(str(generation))
    index.register_tokenizer(ANALYZER, analyzer())
    # Reloaded by `Reader` when it is asked, so that no watching thread lives in web processes.
    index.config_reader("manual")
    return index


@dataclass
class Reader:
    """Keeps one generation open; a look at two small files tells whether it is still the latest."""

    _lock: Lock = field(default_factory=Lock)
    _generation: Path | None = None
    _stamp: Stamp | None = None
    _index: tantivy.Index | None = None

    def searcher(self, folder: IndexFolder) -> tantivy.Searcher | None:
        """A snapshot of the latest commit, or None while there is no usable index."""
        with self._lock:
            try:
                self._refresh(folder)
            except (OSError, ValueError) as error:
                logger.warning("The search index in %s cannot be read: %s", folder.root, error)
                self._index = self._generation = self._stamp = None
            return self._index.searcher() if self._index else None

    def _refresh(self, folder: IndexFolder) -> None:
        generation = folder.current()
        if generation is None:
            self._index = self._generation = self._stamp = None
            return
        status = (generation / "meta.json").stat()
        stamp = (status.st_ino, status.st_mtime_ns, status.st_size)
        if self._index is None or generation != self._generation:
            self._index = open_index(generation)
        elif stamp != self._stamp:
            self._index.reload()
        self._generation, self._stamp = generation, stamp


_reader = Reader()


def current_searcher() -> tantivy.Searcher | None:
    """This process's snapshot of the configured index, or None while there is none."""
    return _reader.searcher(IndexFolder.configured())
