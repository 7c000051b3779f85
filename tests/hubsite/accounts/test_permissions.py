import pytest

from hubsite.accounts.actors import Actor
from hubsite.accounts.models import Scope, User
from hubsite.accounts.permissions import Permission, allows, require, visible_repos
from hubsite.core.errors import Forbidden, RepoNotFound, Unauthenticated
from hubsite.registry.models import Commit, Repo
from tests.hubsite import factories

pytestmark = pytest.mark.django_db
WRITES = (Permission.WRITE_REPO, Permission.DELETE_REPO)


@pytest.fixture
def actors(alice: User, bob: User) -> dict[str, Actor]:
    return {
        "alice": Actor.of_user(alice),
        "alice reading": Actor(alice, Scope.READ),
        "bob": Actor.of_user(bob),
        "anonymous": Actor.anonymous(),
    }


@pytest.mark.parametrize("private", [False, True])
@pytest.mark.parametrize("name", ["alice", "alice reading", "bob", "anonymous"])
def test_the_policy_for_one_and_for_many_is_the_same(
    alice: User, actors: dict[str, Actor], name: str, private: bool
) -> None:
    repo = factories.make_repo(alice, private=private)
    actor = actors[name]
    may_read = not private or name.startswith("alice")
    assert allows(actor, Permission.READ_REPO, repo) is may_read
    assert Repo.objects.filter(visible_repos(actor)).exists() is may_read
    factories.make_commit(repo, {"a": b"x"})
    assert Commit.objects.filter(visible_repos(actor, "repo__")).exists() is may_read
    for permission in WRITES:
        assert allows(actor, permission, repo) is (name == "alice")
    assert allows(actor, Permission.CREATE_IN_NAMESPACE, repo.namespace) is (name == "alice")


def test_who_may_not_know_of_it_is_told_that_it_is_not_there(alice: User, actors: dict[str, Actor]) -> None:
    repo = factories.make_repo(alice, private=True)
    for name in ("bob", "anonymous"):
        with pytest.raises(RepoNotFound):
            require(actors[name], Permission.WRITE_REPO, repo)


def test_what_is_missing_is_said(alice: User, actors: dict[str, Actor]) -> None:
    repo = factories.make_repo(alice)
    require(actors["alice"], Permission.WRITE_REPO, repo)
    with pytest.raises(Unauthenticated, match="Sign in"):
        require(actors["anonymous"], Permission.WRITE_REPO, repo)
    with pytest.raises(Forbidden, match="belongs to somebody else"):
        require(actors["bob"], Permission.WRITE_REPO, repo)
    with pytest.raises(Forbidden, match="scope `write`"):
        require(actors["alice reading"], Permission.WRITE_REPO, repo)
    with pytest.raises(Forbidden):
        require(actors["bob"], Permission.CREATE_IN_NAMESPACE, repo.namespace)
