"""Keeps the index up with the database: follows the outbox, rebuilds what is missing or outdated."""

import logging
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event

import tantivy

from hubsite.search import outbox
from hubsite.search.analysis import ANALYZER, analyzer
from hubsite.search.builder import build_documents, published_cards
from hubsite.search.document import Document
from hubsite.search.index_folder import IndexFolder
from hubsite.search.reader import open_index
from hubsite.search.schema import KEY, schema, to_tantivy

logger = logging.getLogger(__name__)

BATCH = 500
# Memory of the writer in bytes, with one thread; tantivy's smallest is 15 MB.
_HEAP = 50_000_000


class StoppedError(Exception):
    """The work was left unfinished because `stop` was set; nothing of it is visible."""


def follow_once(folder: IndexFolder, stop: Event) -> int:
    """Bring one batch of the outbox into the index and return its size; 0 when there is nothing to do.

    Entries are deleted after the index has them on disk: whoever is killed in between does the same again.
    The documents are read after the entries, so they are at least as new. Raises StoppedError.
    """
    if folder.current() is None:
        rebuild(folder, stop)
    entries = outbox.next_batch(BATCH)
    if entries:
        if not _replace(folder, {entry.repo_id for entry in entries}, stop):
            rebuild(folder, stop)
        outbox.remove(entries)
    return len(entries)


def rebuild(folder: IndexFolder, stop: Event) -> int:
    """Write all documents into a new generation, then switch to it; returns their number.

    Meanwhile readers use the old one, and the outbox waits: what changes now is brought in afterwards.
    Raises StoppedError.
    """
    with _writing(folder, stop):
        generation = folder.new_generation()
        index = tantivy.Index(schema(), str(generation))
        index.register_tokenizer(ANALYZER, analyzer())
        written = 0
        with _writer(index) as writer:
            for documents in _all_documents():
                for document in documents:
                    writer.add_document(to_tantivy(document))
                written += len(documents)
                if stop.is_set():
                    raise StoppedError
        folder.switch_to(generation)
    logger.info("The search index was rebuilt with %d adapters.", written)
    return written


@contextmanager
def _writing(folder: IndexFolder, stop: Event) -> Iterator[None]:
    with folder.writing(stop) as held:
        if not held:
            raise StoppedError
        yield


@contextmanager
def _writer(index: tantivy.Index) -> Iterator[tantivy.IndexWriter]:
    """A writer whose work is committed to disk at the end, unless the block raises."""
    writer = index.writer(_HEAP, 1)
    try:
        yield writer
        writer.commit()
    finally:
        writer.wait_merging_threads()


def _replace(folder: IndexFolder, repo_ids: Collection[int], stop: Event) -> bool:
    """Write these repos' documents anew; False if the index is damaged or gone and needs a rebuild."""
    with _writing(folder, stop):
        generation = folder.current()
        index = _open_sound(generation) if generation else None
        if index is None:
            return False
        documents = build_documents(repo_ids)
        with _writer(index) as writer:
            for repo_id in repo_ids:
                writer.delete_documents_by_term(KEY, str(repo_id))
            for document in documents.values():
                writer.add_document(to_tantivy(document))
    return True


def _open_sound(generation: Path) -> tantivy.Index | None:
    try:
        return open_index(generation)
    except ValueError as error:
        logger.warning("The search index %s is damaged and will be rebuilt: %s", generation, error)
        return None


def _all_documents() -> Iterator[Collection[Document]]:
    """All documents in batches, by ascending repo id, so that none is missed or met twice."""
    last = 0
    while True:
        page = published_cards().filter(commit__repo_id__gt=last).order_by("commit__repo_id")
        repo_ids = list(page.values_list("commit__repo_id", flat=True)[:BATCH])
        if not repo_ids:
            return
        yield build_documents(repo_ids).values()
        last = repo_ids[-1]
