from threading import Event

import pytest

from hubsite.accounts.actors import Actor
from hubsite.accounts.models import User
from hubsite.registry.services.repos import delete_repo, set_private
from hubsite.search import outbox
from hubsite.search.index_folder import IndexFolder
from hubsite.search.indexer import StoppedError, follow_once, rebuild
from hubsite.search.models import OutboxEntry
from hubsite.search.queries import SearchRequest, search
from tests.hubsite.search.made import give_score, index_all, make_adapter, make_suite, names

pytestmark = pytest.mark.django_db


def found(text: str = "", viewer: Actor | None = None) -> list[str]:
    return sorted(names(search(SearchRequest(text=text, viewer=viewer or Actor.anonymous())).hits))


def test_a_publication_is_found_and_leaves_no_note(alice: User) -> None:
    index_all()
    assert found() == []
    make_adapter(alice, "praise")
    assert OutboxEntry.objects.exists()
    index_all()
    assert found("praise") == ["praise"]
    assert not OutboxEntry.objects.exists()


def test_changes_replace_the_document(alice: User) -> None:
    commit = make_adapter(alice, "praise", body="First words.")
    make_adapter(alice, "praise", body="Second words.")
    index_all()
    assert (found("first"), found("second")) == ([], ["praise"])
    set_private(Actor.of_user(alice), commit.repo, private=True)
    index_all()
    assert (found(), found(viewer=Actor.of_user(alice))) == ([], ["praise"])
    delete_repo(Actor.of_user(alice), commit.repo)
    index_all()
    assert found(viewer=Actor.of_user(alice)) == []


def test_killed_between_index_and_outbox_the_same_is_done_again(alice: User) -> None:
    make_adapter(alice, "praise")
    entries = list(OutboxEntry.objects.all())
    index_all()
    OutboxEntry.objects.bulk_create(entries)
    index_all()
    assert search(SearchRequest()).total == 1
    assert not OutboxEntry.objects.exists()


def test_a_note_written_meanwhile_stays(alice: User) -> None:
    commit = make_adapter(alice, "praise")
    batch = outbox.next_batch(100)
    outbox.mark_stale([commit.repo_id])
    outbox.remove(batch)
    assert OutboxEntry.objects.count() == 1


def test_a_new_suite_takes_the_badge_of_the_old_one(alice: User) -> None:
    commit = make_adapter(alice, "praise")
    give_score(commit, make_suite(alice), 0.9)
    index_all()
    assert search(SearchRequest(badge=("verified",))).total == 1
    make_suite(alice, version=2)
    index_all()
    assert search(SearchRequest(badge=("verified",))).total == 0


def test_a_rebuild_holds_what_the_database_holds(alice: User, bob: User) -> None:
    make_adapter(alice, "praise")
    make_adapter(bob, "blame")
    make_adapter(bob, "waiting", published=False)
    OutboxEntry.objects.all().delete()
    assert rebuild(IndexFolder.configured(), Event()) == 2
    assert found() == ["blame", "praise"]


def test_a_rebuild_that_is_stopped_leaves_the_index_as_it_was(alice: User) -> None:
    make_adapter(alice, "praise")
    index_all()
    make_adapter(alice, "blame")
    stop = Event()
    stop.set()
    with pytest.raises(StoppedError):
        rebuild(IndexFolder.configured(), stop)
    assert found() == ["praise"]
    assert OutboxEntry.objects.exists()


def test_a_damaged_index_is_built_anew(alice: User) -> None:
    make_adapter(alice, "praise")
    index_all()
    generation = IndexFolder.configured().current()
    assert generation is not None
    (generation / "meta.json").write_text("{")
    make_adapter(alice, "blame")
    index_all()
    assert found() == ["blame", "praise"]


def test_nothing_to_do_is_no_work(alice: User) -> None:
    index_all()
    generation = IndexFolder.configured().current()
    assert generation is not None
    before = (generation / "meta.json").stat().st_mtime_ns
    assert follow_once(IndexFolder.configured(), Event()) == 0
    assert (generation / "meta.json").stat().st_mtime_ns == before
