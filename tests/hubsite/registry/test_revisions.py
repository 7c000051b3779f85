import pytest
from pytest_django import DjangoAssertNumQueries

from hubsite.accounts.models import User
from hubsite.core.errors import EmptyRepo, RevisionNotFound
from hubsite.registry.models import Commit, Ref, RefKind, Repo
from hubsite.registry.selectors.revisions import find_commit, refs, split_revision_path
from tests.hubsite import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def repo(alice: User) -> Repo:
    return factories.make_repo(alice)


@pytest.fixture
def commits(repo: Repo) -> list[Commit]:
    """Two commits: main is at the second, the tag v1 and the branch feat/x at the first."""
    first = factories.publish(factories.make_commit(repo, {"a": b"1"}))
    Ref.objects.create(repo=repo, kind=RefKind.BRANCH, name="feat/x", commit=first)
    return [first, factories.make_commit(repo, {"a": b"2"})]


def test_all_the_ways_to_name_a_commit(repo: Repo, commits: list[Commit]) -> None:
    first, second = commits
    for name in ("v1", "feat/x", "refs/tags/v1", "refs/heads/feat/x", first.sha, first.sha[:7]):
        assert find_commit(repo, name) == first
    for name in ("main", "refs/heads/main", second.sha):
        assert find_commit(repo, name) == second


@pytest.mark.parametrize(
    "name",
    ["", "no", "v2", "refs/tags/main", "refs/pr/1", "0" * 40, "0" * 7, "main\0", "\ud800", "MAIN"],
)
def test_what_names_nothing(repo: Repo, commits: list[Commit], name: str) -> None:
    with pytest.raises(RevisionNotFound, match="alice/example has no branch, tag or commit"):
        find_commit(repo, name)


def test_a_prefix_must_be_long_enough_and_unique(repo: Repo, commits: list[Commit]) -> None:
    first, second = commits
    with pytest.raises(RevisionNotFound):
        find_commit(repo, first.sha[:6])
    Commit.objects.filter(pk=first.pk).update(sha="abcdef0" + "0" * 33)
    Commit.objects.filter(pk=second.pk).update(sha="abcdef0" + "1" * 33)
    with pytest.raises(RevisionNotFound):
        find_commit(repo, "abcdef0")
    assert find_commit(repo, "abcdef01") == second


def test_a_branch_goes_before_a_tag_and_both_before_a_sha(repo: Repo, commits: list[Commit]) -> None:
    first, second = commits
    Ref.objects.create(repo=repo, kind=RefKind.TAG, name=second.sha[:8], commit=first)
    assert find_commit(repo, second.sha[:8]) == first
    Ref.objects.create(repo=repo, kind=RefKind.BRANCH, name="v1", commit=second)
    assert find_commit(repo, "v1") == second
    assert find_commit(repo, "refs/tags/v1") == first


def test_another_repos_commits_are_not_here(bob: User, repo: Repo, commits: list[Commit]) -> None:
    other = factories.make_repo(bob)
    factories.make_commit(other, {"a": b"x"})
    with pytest.raises(RevisionNotFound):
        find_commit(other, commits[0].sha)


def test_an_empty_repository_says_so(repo: Repo) -> None:
    with pytest.raises(EmptyRepo, match="empty"):
        find_commit(repo, "main")
    with pytest.raises(RevisionNotFound) as caught:
        find_commit(repo, "side")
    assert not isinstance(caught.value, EmptyRepo)


def test_the_longest_ref_wins(repo: Repo, commits: list[Commit]) -> None:
    first, second = commits
    assert split_revision_path(repo, "feat/x/sub/a.txt") == (first, "sub/a.txt")
    assert split_revision_path(repo, "main/feat/x") == (second, "feat/x")
    assert split_revision_path(repo, "refs/heads/main/a") == (second, "a")
    assert split_revision_path(repo, f"{first.sha}/a/b") == (first, "a/b")
    assert split_revision_path(repo, f"{first.sha[:9]}") == (first, "")
    Ref.objects.create(repo=repo, kind=RefKind.TAG, name="main/a", commit=first)
    assert split_revision_path(repo, "main/a/b") == (first, "b")
    for wrong in ("nothing/a", "feat/a", ""):
        with pytest.raises(RevisionNotFound):
            split_revision_path(repo, wrong)


def test_finding_takes_one_query_for_refs_and_two_for_shas(
    repo: Repo, commits: list[Commit], django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    with django_assert_num_queries(1):
        commit, _ = split_revision_path(repo, "main/" + "deep/" * 30 + "file")
        assert commit.repo.full_name == "alice/example"
        assert commit.author.username == "alice"
    with django_assert_num_queries(2):
        find_commit(repo, commits[0].sha)


def test_refs_are_listed_with_their_commits(repo: Repo, commits: list[Commit]) -> None:
    assert [(ref.kind, ref.name, ref.commit) for ref in refs(repo)] == [
        ("branch", "feat/x", commits[0]),
        ("branch", "main", commits[1]),
        ("tag", "v1", commits[0]),
    ]
