import pytest

from hubsite.accounts.models import User
from hubsite.core.errors import Conflict
from hubsite.registry.models import Commit, CommitState, Ref, RefKind
from hubsite.registry.selectors import published
from hubsite.registry.services import states
from hubsite.registry.signals import commit_published
from tests.hubsite import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def commit(alice: User) -> Commit:
    return factories.make_commit(factories.make_repo(alice), {"a": b"1"})


def tags(commit: Commit) -> list[str]:
    return sorted(Ref.objects.filter(repo=commit.repo, kind=RefKind.TAG).values_list("name", flat=True))


def test_a_commit_that_passes(commit: Commit) -> None:
    states.start_validation(commit)
    assert commit.state == CommitState.VALIDATING
    assert published.latest(commit.repo) is None
    assert states.publish(commit) == commit
    assert commit.state == CommitState.PUBLISHED
    assert commit.published_at is not None
    assert published.latest(commit.repo) == commit
    assert tags(commit) == ["v1"]


def test_a_commit_that_fails_says_why_and_may_be_tried_again(commit: Commit) -> None:
    states.fail(commit, "The header overlaps.")
    commit.refresh_from_db()
    assert (commit.state, commit.state_reason) == (CommitState.FAILED, "The header overlaps.")
    assert published.latest(commit.repo) is None
    states.start_validation(commit)
    states.publish(commit)
    commit.refresh_from_db()
    assert (commit.state, commit.state_reason) == (CommitState.PUBLISHED, "")


def test_what_is_published_stays_published(commit: Commit) -> None:
    heard: list[Commit] = []
    commit_published.connect(lambda commit, **_: heard.append(commit), weak=False, dispatch_uid="test")
    states.publish(commit)
    before = commit.published_at
    states.publish(commit)
    commit_published.disconnect(dispatch_uid="test")
    assert heard == [commit]
    assert (commit.published_at, tags(commit)) == (before, ["v1"])
    with pytest.raises(Conflict, match="published already"):
        states.start_validation(commit)
    with pytest.raises(Conflict, match="published already"):
        states.fail(commit, "late")


def test_versions_count_on_over_what_is_there(commit: Commit) -> None:
    for name in ("v7", "vision", "v²"):
        Ref.objects.create(repo=commit.repo, kind=RefKind.TAG, name=name, commit=commit)
    states.publish(commit)
    second = states.publish(factories.make_commit(commit.repo, {"a": b"2"}))
    assert tags(commit) == ["v7", "v8", "v9", "vision", "v²"]
    assert list(published.versions(commit.repo)) == [second, commit]


def test_an_older_commit_published_later_is_the_latest(commit: Commit) -> None:
    second = factories.make_commit(commit.repo, {"a": b"2"})
    states.publish(second)
    states.publish(commit)
    assert published.latest(commit.repo) == commit
