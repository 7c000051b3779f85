import pytest
from pytest_django import DjangoAssertNumQueries

from hubsite.accounts.models import User
from hubsite.registry.services import states
from tests.hubsite.api.asking import get
from tests.hubsite.factories import make_token
from tests.hubsite.search.made import MINILM, give_score, make_adapter, make_suite

pytestmark = pytest.mark.django_db


def test_an_adapter_with_its_card_files_and_versions(alice: User) -> None:
    make_adapter(alice, "praise", body="One.")
    second = make_adapter(alice, "praise", body="Tells praise from complaint.", datasets=["imdb"])
    give_score(second, make_suite(alice), 0.9)
    answer = get("/adapters/alice/praise")
    assert (answer["id"], answer["revision"], answer["version"]) == ("alice/praise", second.sha, "v2")
    assert (answer["state"], answer["task"], answer["dataset"]) == ("published", "sentiment", "imdb")
    assert (answer["method"], answer["config"]["r"], answer["license"]) == ("lora", 8, "apache-2.0")
    assert answer["backbone"]["id"] == MINILM
    assert "Tells praise" in answer["card"]
    assert len(answer["files"]) == 3
    assert [version["version"] for version in answer["versions"]] == ["v2", "v1"]
    assert answer["score"]["value"] == 0.9
    assert answer["load"] == 'adapter_lib.load("hub:alice/praise@v2")'
    assert answer["created_at"].endswith("Z")


def test_an_earlier_revision_stays_as_it_was(alice: User) -> None:
    first = make_adapter(alice, "praise", body="One.")
    make_adapter(alice, "praise", body="Two.")
    for revision in ("v1", first.sha, first.sha[:10]):
        answer = get("/adapters/Alice/Praise", revision=revision)
        assert (answer["revision"], answer["card"].strip()[-4:]) == (first.sha, "One.")


def test_a_failed_version_is_shown_to_its_owner_with_the_reason(alice: User) -> None:
    make_adapter(alice, "praise")
    failed = make_adapter(alice, "praise", body="Worse.", published=False)
    states.fail(failed, "All weights are zero.")
    assert len(get("/adapters/alice/praise")["versions"]) == 1
    get("/adapters/alice/praise", revision=failed.sha, status=404)
    token = make_token(alice)
    assert len(get("/adapters/alice/praise", token=token)["versions"]) == 2
    answer = get("/adapters/alice/praise", token=token, revision=failed.sha)
    assert (answer["state"], answer["state_reason"]) == ("failed", "All weights are zero.")


def test_absent_and_private_adapters_get_the_same_answer(alice: User, bob: User) -> None:
    make_adapter(alice, "secret", private=True)
    absent = get("/adapters/alice/absent", status=404)["error"]
    for token in ("", make_token(bob)):
        hidden = get("/adapters/alice/secret", token=token, status=404)["error"]
        assert hidden["message"].replace("secret", "absent") == absent["message"]
        assert hidden["code"] == absent["code"]
    assert get("/adapters/alice/secret", token=make_token(alice))["private"] is True


def test_a_bad_token_is_told_so(alice: User) -> None:
    make_adapter(alice, "praise")
    headers = {"token": "ahub_" + "x" * 40}
    assert get("/adapters/alice/praise", status=401, **headers)["error"]["code"] == "invalid_token"


def test_versions_cost_no_queries_each(
    alice: User, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    for number in range(6):
        make_adapter(alice, "praise", body=f"Number {number}.")
    with django_assert_max_num_queries(14):
        assert len(get("/adapters/alice/praise")["versions"]) == 6
