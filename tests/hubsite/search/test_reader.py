import shutil

from hubsite.search.reader import Reader
from tests.hubsite.search.made import document, fill


def test_a_reader_sees_the_next_generation_without_being_told() -> None:
    reader = Reader()
    folder = fill([document(1)])
    before = reader.searcher(folder)
    fill([document(1), document(2)])
    after = reader.searcher(folder)
    assert before is not None
    assert after is not None
    assert (before.num_docs, after.num_docs) == (1, 2)


def test_an_open_snapshot_outlives_the_files_it_was_made_from() -> None:
    reader = Reader()
    folder = fill([document(1, name="before")])
    snapshot = reader.searcher(folder)
    fill([])
    assert snapshot is not None
    assert snapshot.num_docs == 1


def test_a_damaged_index_is_no_index() -> None:
    reader = Reader()
    folder = fill([document(1)])
    assert reader.searcher(folder) is not None
    generation = folder.current()
    assert generation is not None
    (generation / "meta.json").write_text("{")
    assert reader.searcher(folder) is None


def test_a_removed_index_is_no_index() -> None:
    reader = Reader()
    folder = fill([document(1)])
    reader.searcher(folder)
    shutil.rmtree(folder.root)
    assert reader.searcher(folder) is None
