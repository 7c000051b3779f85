import io

import pytest

from hubsite.accounts.actors import Actor
from hubsite.accounts.models import Scope, User
from hubsite.core.errors import BadInput, Forbidden, RepoExists, RepoNotFound, Unauthenticated
from hubsite.registry.models import Blob, Commit, Ref, Repo, RepoKind
from hubsite.registry.selectors.repos import find_repo, list_repos
from hubsite.registry.services import blobs, downloads, repos
from hubsite.registry.signals import repo_changed
from tests.hubsite import factories

pytestmark = pytest.mark.django_db


def find(actor: Actor, namespace: str, name: str, *, is_dataset: bool = False) -> Repo:
    return find_repo(actor, is_dataset=is_dataset, namespace=namespace, name=name)


@pytest.mark.parametrize("namespace", [None, "alice", "ALICE"])
def test_a_repo_is_found_in_any_case(alice: User, namespace: str | None) -> None:
    repo = repos.create_repo(
        factories.actor_of(alice), namespace=namespace, name="Mood-LoRA", kind=RepoKind.ADAPTER
    )
    assert repo.full_name == "alice/Mood-LoRA"
    assert find(Actor.anonymous(), "Alice", "mood-lora") == repo


def test_a_name_is_given_once_in_any_case(alice: User) -> None:
    factories.make_repo(alice, "Mood")
    with pytest.raises(RepoExists) as caught:
        factories.make_repo(alice, "mOOd", RepoKind.BACKBONE)
    assert caught.value.repo_name == "alice/Mood"
    assert factories.make_repo(alice, "mood", RepoKind.DATASET).is_dataset


def test_models_and_datasets_are_two_worlds(alice: User) -> None:
    model, data = factories.make_repo(alice, "mood"), factories.make_repo(alice, "mood", RepoKind.DATASET)
    assert find(Actor.anonymous(), "alice", "mood") == model
    assert find(Actor.anonymous(), "alice", "mood", is_dataset=True) == data


@pytest.mark.parametrize("name", ["", "a/b", "..", "a--b", "-a", "a.git", "a b", "x" * 91, "a\0"])
def test_a_name_outside_the_grammar_is_refused(alice: User, name: str) -> None:
    with pytest.raises(BadInput):
        factories.make_repo(alice, name)


def test_only_the_owner_creates(alice: User, bob: User) -> None:
    for actor, error in (
        (Actor.anonymous(), Unauthenticated),
        (factories.actor_of(bob), Forbidden),
        (Actor(alice, Scope.READ), Forbidden),
    ):
        with pytest.raises(error):
            repos.create_repo(actor, namespace="alice", name="x", kind=RepoKind.ADAPTER)
    with pytest.raises(Forbidden, match="no namespace 'nobody'"):
        repos.create_repo(factories.actor_of(bob), namespace="nobody", name="x", kind=RepoKind.ADAPTER)


def test_absent_and_hidden_are_the_same_answer(alice: User, bob: User) -> None:
    factories.make_repo(alice, "secret", private=True)
    for actor in (Actor.anonymous(), factories.actor_of(bob)):
        with pytest.raises(RepoNotFound) as hidden:
            find(actor, "alice", "secret")
        with pytest.raises(RepoNotFound) as absent:
            find(actor, "alice", "absent")
        assert hidden.value.message == absent.value.message.replace("absent", "secret")
        assert not list_repos(actor).exists()
    assert find(Actor(alice, Scope.READ), "alice", "secret").private


@pytest.mark.parametrize("name", ["a\0", "\ud800", ""])
def test_what_no_repo_can_be_called_is_not_found(alice: User, name: str) -> None:
    with pytest.raises(RepoNotFound):
        find(Actor.anonymous(), "alice", name)
    with pytest.raises(RepoNotFound):
        find(Actor.anonymous(), name, "x")
    with pytest.raises(Forbidden):
        repos.create_repo(factories.actor_of(alice), namespace=name, name="x", kind=RepoKind.ADAPTER)


def test_hiding_and_showing(alice: User, bob: User) -> None:
    repo = factories.make_repo(alice)
    repos.set_private(factories.actor_of(alice), repo, private=True)
    assert not list_repos(Actor.anonymous()).exists()
    with pytest.raises(RepoNotFound):
        repos.set_private(factories.actor_of(bob), repo, private=False)
    repos.set_private(factories.actor_of(alice), repo, private=False)
    assert list_repos(Actor.anonymous()).get() == repo


def test_deleting_takes_all_versions_and_leaves_the_bytes_to_others(alice: User, bob: User) -> None:
    repo, other = factories.make_repo(alice), factories.make_repo(bob)
    for number in range(3):
        factories.publish(factories.make_commit(repo, {"shared": b"x", "count": b"%d" % number}))
    factories.make_commit(other, {"shared": b"x"})
    heard = []
    repo_changed.connect(lambda repo, **_: heard.append(repo.pk), weak=False, dispatch_uid="test")
    key = repo.pk
    with pytest.raises(Forbidden):
        repos.delete_repo(factories.actor_of(bob), repo)
    repos.delete_repo(factories.actor_of(alice), repo)
    repo_changed.disconnect(dispatch_uid="test")
    assert heard == [key]
    assert not Commit.objects.filter(repo_id=key).exists()
    assert not Ref.objects.filter(repo_id=key).exists()
    assert Commit.objects.filter(repo=other).exists()
    assert Blob.objects.count() == 4


def test_downloads_add_up(alice: User) -> None:
    repo = factories.make_repo(alice)
    before = repo.updated_at
    downloads.count(repo)
    downloads.count(Repo.objects.get(pk=repo.pk))
    repo.refresh_from_db()
    assert (repo.downloads, repo.updated_at) == (2, before)


def test_equal_bytes_are_one_blob(alice: User) -> None:
    first = blobs.store_blob(io.BytesIO(b"x"), size=1)
    assert blobs.store_blob(io.BytesIO(b"x"), size=None, sha256=first.sha256) == first
    assert first.size == 1
    assert Blob.objects.count() == 1
