import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from hubsite.accounts.actors import Actor
from hubsite.accounts.models import Scope, User
from hubsite.core.errors import (
    BadInput,
    EntryNotFound,
    Forbidden,
    RepoNotFound,
    RevisionNotFound,
    StaleParent,
    Unauthenticated,
)
from hubsite.registry.models import Commit, CommitState, Repo, RepoKind, TreeEntry
from hubsite.registry.selectors import published, revisions
from hubsite.registry.services.commits import (
    AddFile,
    CopyFile,
    DeleteFile,
    DeleteFolder,
    Operation,
    create_commit,
)
from hubsite.registry.signals import repo_changed, revision_created
from tests.hubsite import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def repo(alice: User) -> Repo:
    return factories.make_repo(alice)


def commit(repo: Repo, *operations: Operation, parent: str | None = None, title: str = "A change") -> Commit:
    actor = factories.actor_of(repo.namespace.owner)
    return create_commit(actor, repo, operations=operations, title=title, parent=parent)


def add(path: str, content: bytes = b"x") -> AddFile:
    return AddFile(path, factories.make_blob(content))


def paths(found: Commit) -> list[str]:
    return sorted(found.entries.values_list("path", flat=True))


def test_a_first_commit_makes_main(alice: User, repo: Repo) -> None:
    found = commit(repo, add("README.md"), AddFile("w.bin", factories.make_blob(b"y"), lfs=True))
    assert paths(found) == ["README.md", "w.bin"]
    assert revisions.find_commit(repo, "main") == found
    assert (found.parent, found.author, found.state) == (None, alice, CommitState.RECEIVED)
    assert len(found.sha) == 40
    assert TreeEntry.objects.get(path="w.bin").lfs


def test_commits_build_on_each_other(repo: Repo) -> None:
    first = commit(repo, add("a"), add("sub/b"), add("sub/deep/c"), add("subway"))
    second = commit(repo, DeleteFolder("sub/"), add("a", b"new"), CopyFile("copy", "a"))
    assert paths(first) == ["a", "sub/b", "sub/deep/c", "subway"]
    assert paths(second) == ["a", "copy", "subway"]
    assert second.parent == first
    third = commit(repo, DeleteFile("copy"), CopyFile("old", "a", first.sha))
    assert third.entries.get(path="old").blob == first.entries.get(path="a").blob


def test_a_copy_takes_what_was_there_before_the_commit(repo: Repo) -> None:
    first = commit(repo, add("a", b"before"))
    second = commit(repo, add("a", b"after"), CopyFile("b", "a"))
    assert second.entries.get(path="b").blob == first.entries.get(path="a").blob


def test_what_changes_nothing_is_the_present_head(repo: Repo) -> None:
    head = commit(repo, add("a"))
    assert commit(repo, add("a")) == head
    assert commit(repo, add("b"), DeleteFile("b")) == head
    assert Commit.objects.count() == 1


def test_a_first_commit_needs_a_file(repo: Repo) -> None:
    with pytest.raises(BadInput, match="add a file"):
        commit(repo)


@pytest.mark.parametrize(
    ("operation", "error"),
    [
        (DeleteFile("nothing"), EntryNotFound),
        (DeleteFile("sub"), EntryNotFound),
        (DeleteFolder("a"), EntryNotFound),
        (CopyFile("b", "nothing"), EntryNotFound),
        (CopyFile("b", "a", "nowhere"), RevisionNotFound),
        (CopyFile("../b", "a"), BadInput),
    ],
)
def test_one_bad_operation_refuses_them_all(repo: Repo, operation: Operation, error: type[Exception]) -> None:
    head = commit(repo, add("a"), add("sub/b"))
    with pytest.raises(error):
        commit(repo, add("new"), operation)
    assert revisions.find_commit(repo, "main") == head
    assert Commit.objects.count() == 1


def test_a_missing_file_is_said_in_the_protocols_words(repo: Repo) -> None:
    head = commit(repo, add("a"))
    with pytest.raises(EntryNotFound, match="A file with this name doesn't exist") as caught:
        commit(repo, DeleteFile("b"))
    assert caught.value.commit_sha == head.sha


def test_a_path_is_a_file_or_a_folder(repo: Repo) -> None:
    commit(repo, add("a"))
    with pytest.raises(BadInput, match="cannot be a file and"):
        commit(repo, add("a/b"))
    assert paths(commit(repo, DeleteFile("a"), add("a/b"))) == ["a/b"]


def test_the_parent_must_begin_the_head(repo: Repo) -> None:
    head = commit(repo, add("a"))
    assert commit(repo, add("b"), parent=head.sha[:7].upper()).parent == head
    with pytest.raises(StaleParent, match="moved on"):
        commit(repo, add("c"), parent=head.sha)
    for wrong in ("", "abcd", "g" * 40, head.sha + "0"):
        with pytest.raises(BadInput, match="5 to 40"):
            commit(repo, add("c"), parent=wrong)


def test_a_parent_of_nothing_is_stale(repo: Repo) -> None:
    with pytest.raises(StaleParent, match="nothing yet"):
        commit(repo, add("a"), parent="0" * 40)


@pytest.mark.parametrize(
    ("title", "message"), [("", ""), ("  ", ""), ("a\0", ""), ("a", "\ud800"), ("a", "x" * 20_001)]
)
def test_words_that_cannot_be_kept(alice: User, repo: Repo, title: str, message: str) -> None:
    with pytest.raises(BadInput):
        create_commit(factories.actor_of(alice), repo, operations=[add("a")], title=title, message=message)


def test_a_long_title_is_cut(repo: Repo) -> None:
    assert commit(repo, add("a"), title="x" * 300).title == "x" * 200


def test_a_branch_must_be_there(alice: User, repo: Repo) -> None:
    with pytest.raises(RevisionNotFound, match="no branch 'side'"):
        factories.make_commit(repo, {"a": b"x"}, branch="side")


def test_only_the_owner_commits(alice: User, bob: User, repo: Repo) -> None:
    hidden = factories.make_repo(alice, "hidden", private=True)
    for actor, target, error in (
        (Actor.anonymous(), repo, Unauthenticated),
        (factories.actor_of(bob), repo, Forbidden),
        (Actor(alice, Scope.READ), repo, Forbidden),
        (factories.actor_of(bob), hidden, RepoNotFound),
    ):
        with pytest.raises(error):
            create_commit(actor, target, operations=[add("a")], title="x")


def test_only_adapters_are_announced_for_validation(alice: User) -> None:
    heard: list[Commit] = []
    revision_created.connect(lambda commit, **_: heard.append(commit), weak=False, dispatch_uid="test")
    repos = {kind: factories.make_repo(alice, kind, kind) for kind in RepoKind}
    made = {kind: factories.make_commit(repo, {"a": b"x"}) for kind, repo in repos.items()}
    revision_created.disconnect(dispatch_uid="test")
    assert heard == [made[RepoKind.ADAPTER]]
    for kind in (RepoKind.BACKBONE, RepoKind.DATASET):
        assert made[kind].state == CommitState.PUBLISHED
        assert published.latest(made[kind].repo) == made[kind]
        assert [ref.name for ref in revisions.refs(made[kind].repo)] == ["main"]


def test_every_change_is_news(repo: Repo) -> None:
    heard: list[Repo] = []
    repo_changed.connect(lambda repo, **_: heard.append(repo), weak=False, dispatch_uid="test")
    head = commit(repo, add("a"))
    commit(repo, add("a"))
    factories.publish(head)
    repo_changed.disconnect(dispatch_uid="test")
    assert heard == [repo, repo]


def test_queries_do_not_grow_with_the_files(alice: User) -> None:
    blob = factories.make_blob(b"x")

    def queries(name: str, files: int) -> int:
        repo = factories.make_repo(alice, name, RepoKind.DATASET)
        operations = [AddFile(f"part-{number}", blob) for number in range(files)]
        with CaptureQueriesContext(connection) as captured:
            commit(repo, *operations)
        return len(captured)

    assert queries("few", 2) == queries("many", 200) <= 20
