"""From the names in a URL to repositories, commits and files."""

import pytest
from django.test import RequestFactory

from hubsite.accounts.actors import Actor
from hubsite.accounts.models import User
from hubsite.core.errors import EntryNotFound, RepoNotFound, RevisionNotFound
from hubsite.hfapi.calls import Call
from hubsite.hfapi.names import commit_of, file_of, repo_of, revision_and_path, url_prefix
from hubsite.registry.models import Commit, Ref, RefKind, RepoKind
from tests.hubsite.factories import make_commit, make_repo


@pytest.fixture
def call() -> Call:
    return Call(RequestFactory().get("/"), Actor.anonymous())


@pytest.fixture
def commit(alice: User) -> Commit:
    return make_commit(make_repo(alice, "named"), {"x/f.txt": b"f", "f.txt": b"g"})


@pytest.mark.parametrize(
    "repo_id", ["", "named", "alice/", "/named", "alice/na\0med", "alice/a/b", "älice/named"]
)
def test_ids_that_no_repository_has(call: Call, commit: Commit, repo_id: str) -> None:
    with pytest.raises(RepoNotFound):
        repo_of(call, "models", repo_id)


def test_types_have_names_of_their_own(call: Call, commit: Commit, alice: User) -> None:
    dataset = make_repo(alice, "named", RepoKind.DATASET)
    assert repo_of(call, "models", "alice/named") == commit.repo
    assert repo_of(call, "datasets", "alice/named") == dataset
    assert (url_prefix(commit.repo), url_prefix(dataset)) == ("", "datasets/")
    with pytest.raises(RepoNotFound):
        repo_of(call, "spaces", "alice/named")


def test_the_longest_ref_goes_before_a_shorter_one(commit: Commit) -> None:
    repo = commit.repo
    other = make_commit(repo, {"f.txt": b"changed"})
    Ref.objects.create(repo=repo, kind=RefKind.BRANCH, name="feat/x", commit=commit)
    Ref.objects.create(repo=repo, kind=RefKind.BRANCH, name="feat", commit=other)
    assert revision_and_path(repo, "feat/x/f.txt") == (commit, "f.txt")
    assert revision_and_path(repo, "feat/f.txt") == (other, "f.txt")
    assert file_of(repo, "main/x/f.txt")[1].path == "x/f.txt"


@pytest.mark.parametrize("revision", ["", "\0", "x" * 201, "\ud800", "abcdef", "refs/pr/1"])
def test_revisions_that_do_not_exist(commit: Commit, revision: str) -> None:
    with pytest.raises(RevisionNotFound):
        commit_of(commit.repo, revision)


@pytest.mark.parametrize("rest", ["main/\0", "main/" + "x" * 1000, "main/none", "main/x", "main/", "main"])
def test_files_that_do_not_exist(commit: Commit, rest: str) -> None:
    with pytest.raises(EntryNotFound):
        file_of(commit.repo, rest)
