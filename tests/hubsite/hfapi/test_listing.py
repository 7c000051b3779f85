"""Which repositories a list has, for whom."""

import pytest

from hubsite.accounts.actors import Actor
from hubsite.accounts.models import User
from hubsite.hfapi.listing import ListQuery, find_repos, gather_all
from hubsite.hfapi.sorting import Sort
from hubsite.registry.models import Card, Commit, Language, RepoKind, Task
from tests.hubsite.factories import actor_of, make_commit, make_repo, publish

NEWEST = Sort.named("createdAt", ascending=False)


def names(actor: Actor, *, is_dataset: bool = False, **narrowed: object) -> list[str]:
    query = ListQuery(is_dataset=is_dataset, sort=NEWEST, **narrowed)  # type: ignore[arg-type]
    return [repo.name for repo in find_repos(actor, query)]


def describe(commit: Commit, **values: object) -> Card:
    """The commit's card with these values."""
    card, _ = Card.objects.update_or_create(commit=commit, defaults=values)
    return card


def test_published_and_own_repositories(alice: User, bob: User) -> None:
    publish(make_commit(make_repo(alice, "done"), {"a": b"a"}))
    publish(make_commit(make_repo(alice, "hidden", private=True), {"a": b"a"}))
    make_commit(make_repo(alice, "waiting"), {"a": b"a"})
    make_repo(alice, "empty")
    publish(make_commit(make_repo(alice, "set", RepoKind.DATASET), {"a": b"a"}))
    assert names(Actor.anonymous()) == names(actor_of(bob)) == ["done"]
    assert names(actor_of(alice)) == ["empty", "waiting", "hidden", "done"]
    assert names(Actor.anonymous(), is_dataset=True) == ["set"]


def test_search_looks_at_the_whole_id_without_regard_to_case(alice: User) -> None:
    publish(make_commit(make_repo(alice, "Bert-Sentiment"), {"a": b"a"}))
    publish(make_commit(make_repo(alice, "100_percent"), {"a": b"a"}))
    for text in ("SENTIMENT", "alice/bert", "t-s"):
        assert names(Actor.anonymous(), search=(text,)) == ["Bert-Sentiment"]
    assert names(Actor.anonymous(), search=("alice", "percent")) == ["100_percent"]
    for text in ("%", "0_t", "bob"):
        assert names(Actor.anonymous(), search=(text,)) == []
    assert names(Actor.anonymous(), author="ALICE", search=("bert",)) == ["Bert-Sentiment"]
    assert names(Actor.anonymous(), author="ali") == []


@pytest.mark.parametrize(
    ("tag", "found"),
    [
        ("lora", True),
        ("sentiment", True),
        ("de", True),
        ("DE", True),
        ("license:mit", True),
        ("license:MIT", True),
        ("dataset:own", True),
        ("adapters", True),
        ("adapter-transformers", True),
        ("adapter_lib", True),
        ("seq_bn", False),
        ("license:apache-2.0", False),
        ("base_model:none/such", False),
        ("transformers", False),
        ("license:", False),
        ("a free tag", False),
    ],
)
def test_tags(alice: User, tag: str, found: bool) -> None:
    commit = publish(make_commit(make_repo(alice, "tagged"), {"a": b"a"}))
    card = describe(
        commit, method="lora", license="mit", dataset="own", task=Task.objects.get(slug="sentiment")
    )
    card.languages.set(Language.objects.filter(code="de"))
    assert names(Actor.anonymous(), tags=(tag,)) == (["tagged"] if found else [])
    assert names(Actor.anonymous(), tags=(tag, "lora")) == (["tagged"] if found else [])


def test_a_list_shows_the_newest_published_commit(alice: User) -> None:
    repo = make_repo(alice, "steady")
    first = publish(make_commit(repo, {"a": b"1", "README.md": b"---\nlicense: mit\n---\n"}))
    second = make_commit(repo, {"a": b"2"})
    rows = list(find_repos(actor_of(alice), ListQuery(is_dataset=False, sort=NEWEST)))
    (fact,) = gather_all(rows, files=True, readme=True)
    assert fact.commit == first
    assert fact.front == {"license": "mit"}
    assert [file.path for file in fact.files or ()] == ["README.md", "a"]
    publish(second)
    rows = list(find_repos(actor_of(alice), ListQuery(is_dataset=False, sort=NEWEST)))
    (fact,) = gather_all(rows, files=False, readme=False)
    assert (fact.commit, fact.files, fact.front) == (second, None, {})
