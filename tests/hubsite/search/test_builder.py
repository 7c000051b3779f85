"""Documents of real adapters, as the registry's services made them."""

import pytest
from pytest_django import DjangoAssertNumQueries

from hubsite.accounts.models import User
from hubsite.registry.models import Backbone, RepoKind
from hubsite.registry.services import states
from hubsite.search.builder import build_documents
from hubsite.search.document import Badge
from tests.hubsite import factories
from tests.hubsite.search.made import MINILM, give_score, make_adapter, make_suite

pytestmark = pytest.mark.django_db


def test_a_document_says_what_the_card_and_the_configuration_say(alice: User) -> None:
    commit = make_adapter(alice, "Praise", config="lora[r=16]", datasets=["imdb"], language=["en", "de"])
    document = build_documents([commit.repo_id])[commit.repo_id]
    hit = document.hit
    assert (hit.id, hit.revision, hit.version) == ("alice/Praise", commit.sha, "v1")
    assert (hit.task, hit.dataset, hit.method, hit.config) == ("sentiment", "imdb", "lora", "r=16 q,v")
    assert (hit.languages, hit.language_names) == (("de", "en"), ("German", "English"))
    assert (hit.backbone, hit.license, hit.parameters) == (MINILM, "apache-2.0", 4)
    assert (hit.badge, hit.score, hit.private) == (Badge.UNSCORED, None, False)
    assert hit.published_at == commit.published_at
    assert document.owner_id == alice.pk
    assert "praise" in document.body


def test_only_adapters_with_a_published_commit_are_documents(alice: User) -> None:
    waiting = make_adapter(alice, "waiting", published=False)
    failed = make_adapter(alice, "failed", published=False)
    states.fail(failed, "It is empty.")
    backbone = factories.make_repo(alice, "backbone", RepoKind.BACKBONE)
    factories.make_commit(backbone, {"config.json": b"{}"})
    assert build_documents([waiting.repo_id, failed.repo_id, backbone.pk, 10**9]) == {}


def test_the_latest_published_commit_counts(alice: User) -> None:
    make_adapter(alice, "praise", body="First.")
    second = make_adapter(alice, "praise", body="Second.")
    third = make_adapter(alice, "praise", body="Third.", published=False)
    document = build_documents([second.repo_id])[third.repo_id]
    assert (document.hit.revision, document.hit.version) == (second.sha, "v2")


def test_a_score_counts_on_the_current_suite_of_the_task_only(alice: User) -> None:
    commit = make_adapter(alice, "praise")
    give_score(commit, make_suite(alice, slug="other", task="nli"), 0.99)
    give_score(commit, make_suite(alice), 0.9)
    hit = build_documents([commit.repo_id])[commit.repo_id].hit
    assert hit.badge is Badge.VERIFIED
    assert hit.score is not None
    assert (hit.score.value, hit.score.suite, hit.score.majority) == (0.9, "tiny v1", 0.5)
    make_suite(alice, version=2)
    assert build_documents([commit.repo_id])[commit.repo_id].hit.badge is Badge.UNSCORED


def test_a_private_adapter_is_marked_and_an_alias_is_a_word(alice: User) -> None:
    commit = make_adapter(alice, "secret", private=True)
    Backbone.objects.filter(name=MINILM).update(aliases=["our-small-one"])
    document = build_documents([commit.repo_id])[commit.repo_id]
    assert document.hit.private
    assert document.backbone_aliases == ("our-small-one",)


def test_many_documents_take_as_many_queries_as_one(
    alice: User, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    commits = [make_adapter(alice, f"praise-{number}") for number in range(5)]
    with django_assert_max_num_queries(4):
        assert len(build_documents([commit.repo_id for commit in commits])) == 5
