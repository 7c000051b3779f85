"""Several writers on one repository, each with a database connection of its own."""

import threading
from collections.abc import Callable
from functools import partial

import pytest
from django.db import connection

from hubsite.accounts.models import Namespace, User
from hubsite.accounts.services.users import create_user
from hubsite.core.errors import Conflict, StaleParent
from hubsite.registry.models import Commit, Ref, Repo, RepoKind
from hubsite.registry.selectors import revisions
from hubsite.registry.services import downloads, states
from hubsite.registry.services.commits import AddFile, create_commit
from tests.hubsite import factories

pytestmark = pytest.mark.django_db(transaction=True)
COMMITS = 20


def together(*jobs: Callable[[], object]) -> list[Exception]:
    """Run the jobs in threads that start at once; what they raised."""
    faults: list[Exception] = []
    start = threading.Barrier(len(jobs))

    def run(job: Callable[[], object]) -> None:
        start.wait()
        try:
            job()
        except Exception as error:  # noqa: BLE001 - handed to the test
            faults.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(job,)) for job in jobs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return faults


@pytest.fixture
def repo(alice: User) -> Repo:
    return factories.make_repo(alice, "data", RepoKind.DATASET)


def test_no_commit_of_two_writers_is_lost(repo: Repo) -> None:
    def write(writer: str) -> Callable[[], None]:
        def job() -> None:
            for number in range(COMMITS):
                factories.make_commit(repo, {f"{writer}/{number}": b"x"}, title=f"{writer} {number}")

        return job

    assert together(write("one"), write("two")) == []
    commit: Commit | None = revisions.find_commit(repo, "main")
    assert commit is not None
    assert commit.entries.count() == 2 * COMMITS
    chain = []
    while commit is not None:
        chain.append(commit.title)
        commit = commit.parent
    expected = [f"{writer} {number}" for writer in ("one", "two") for number in range(COMMITS)]
    assert sorted(chain) == sorted(expected)


def test_of_two_commits_on_one_parent_one_is_stale(repo: Repo) -> None:
    head = factories.make_commit(repo, {"a": b"x"})

    def job(name: str) -> Callable[[], Commit]:
        operations = [AddFile(name, factories.make_blob(name.encode()))]
        actor = factories.actor_of(repo.namespace.owner)
        return lambda: create_commit(actor, repo, operations=operations, title=name, parent=head.sha)

    (fault,) = together(job("one"), job("two"))
    assert isinstance(fault, StaleParent)
    assert Commit.objects.filter(parent=head).count() == 1


def test_versions_are_numbered_without_gap_or_double(alice: User) -> None:
    repo = factories.make_repo(alice)
    commits = [factories.make_commit(repo, {"a": b"%d" % number}) for number in range(6)]
    # Each commit is published twice, as by two workers that both believe to be the only one.
    faults = together(*[partial(states.publish, commit) for commit in [*commits, *commits]])
    assert faults == []
    names = Ref.objects.filter(repo=repo, kind="tag").values_list("name", flat=True)
    assert sorted(names) == ["v1", "v2", "v3", "v4", "v5", "v6"]


def test_equal_bytes_from_many_uploads_are_one_blob() -> None:
    assert together(*[lambda: factories.make_blob(b"same")] * 6) == []


def test_downloads_from_many_threads_add_up(repo: Repo) -> None:
    assert together(*[lambda: downloads.count(repo)] * 8) == []
    repo.refresh_from_db()
    assert repo.downloads == 8


def test_a_name_is_given_once() -> None:
    names = ("carol", "CAROL", "car0l", "c-arol")
    faults = together(*[partial(create_user, name) for name in names])
    assert [type(fault) for fault in faults] == [Conflict] * 3
    assert Namespace.objects.count() == User.objects.count() == 1
