from threading import Event

import pytest

from hubsite.search import index_folder
from hubsite.search.index_folder import IndexFolder
from tests.hubsite.search.made import document, fill


def test_a_folder_that_is_not_there_has_no_generation() -> None:
    assert IndexFolder.configured().current() is None


def test_switching_removes_the_older_generations() -> None:
    first = fill([document(1)]).current()
    folder = fill([document(2)])
    assert first is not None
    assert not first.exists()
    assert list(folder.root.glob("v*-*")) == [folder.current()]


def test_what_an_interrupted_rebuild_left_is_removed_by_the_next() -> None:
    folder = fill([document(1)])
    used = folder.current()
    left = folder.new_generation()
    folder.new_generation()
    assert not left.exists()
    assert folder.current() == used


def test_an_index_of_another_schema_version_does_not_count(monkeypatch: pytest.MonkeyPatch) -> None:
    folder = fill([document(1)])
    monkeypatch.setattr(index_folder, "VERSION", 10_000)
    assert folder.current() is None


def test_one_writes_at_a_time_and_waiting_can_be_stopped() -> None:
    folder, stop = IndexFolder.configured(), Event()
    with folder.writing() as held:
        assert held
        stop.set()
        with folder.writing(stop) as also_held:
            assert not also_held
    with folder.writing(stop) as held:
        assert held
