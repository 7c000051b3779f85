import pytest

from hubsite.accounts.models import Scope, User
from tests.hubsite.api.asking import get
from tests.hubsite.factories import make_token
from tests.hubsite.search.made import BERT, MINILM, give_score, make_adapter, make_suite

pytestmark = pytest.mark.django_db


def test_a_query_answers_with_the_choice_and_the_others(alice: User, bob: User) -> None:
    best, other = make_adapter(alice, "praise"), make_adapter(bob, "mood")
    suite = make_suite(alice)
    give_score(best, suite, 0.9)
    give_score(other, suite, 0.8)
    answer = get("/resolve", id="sentiment/lora")
    choice = answer["choice"]
    assert (answer["kind"], answer["total"]) == ("query", 2)
    assert (choice["id"], choice["revision"], choice["version"]) == ("alice/praise", best.sha, "v1")
    assert (choice["state"], choice["task"], choice["method"]) == ("published", "sentiment", "lora")
    assert choice["score"]["value"] == 0.9
    assert choice["reason"].startswith("best of 2")
    assert choice["backbone"] == {"id": MINILM, "revision": None, "repo": None}
    assert {file["path"] for file in choice["files"]} == {
        "README.md",
        "adapter_config.json",
        "adapter.safetensors",
    }
    assert all(len(file["sha256"]) == 64 and file["size"] > 0 for file in choice["files"])
    assert [candidate["id"] for candidate in answer["candidates"]] == ["bob/mood"]
    assert "files" not in answer["candidates"][0]


def test_an_id_with_its_own_question_mark_can_be_sent_as_it_is(alice: User) -> None:
    make_adapter(alice, "praise")
    make_adapter(alice, "mood", backbone=BERT)
    assert get("/resolve", id="sentiment?backbone=bert-base-uncased")["choice"]["id"] == "alice/mood"
    assert get("/resolve", id="hub:sentiment", backbone=MINILM)["choice"]["id"] == "alice/praise"


def test_an_unpublished_adapter_is_answered_with_its_state(alice: User) -> None:
    make_adapter(alice, "praise", published=False)
    assert get("/resolve", id="alice/praise")["choice"]["state"] == "received"


@pytest.mark.parametrize(
    ("parameters", "status", "code"),
    [
        ({"id": "sentiment/dora"}, 404, "not_found"),
        ({"id": "xyzzy"}, 404, "not_found"),
        ({"id": "alice/absent"}, 404, "repo_not_found"),
        ({"id": "alice/praise@v9"}, 404, "revision_not_found"),
        ({"id": "alice/praise", "backbone": BERT}, 409, "conflict"),
        ({"id": "a//b"}, 400, "bad_input"),
        ({"id": ""}, 400, "bad_input"),
        ({}, 400, "bad_input"),
    ],
)
def test_errors(alice: User, parameters: dict[str, str], status: int, code: str) -> None:
    make_adapter(alice, "praise")
    make_adapter(alice, "mood", backbone=BERT)
    assert get("/resolve", status=status, **parameters)["error"]["code"] == code


def test_private_adapters_need_their_owners_token(alice: User, bob: User) -> None:
    make_adapter(alice, "secret", private=True)
    get("/resolve", id="alice/secret", status=404)
    get("/resolve", id="alice/secret", token=make_token(bob), status=404)
    assert (
        get("/resolve", id="alice/secret", token=make_token(alice, Scope.READ))["choice"]["id"]
        == "alice/secret"
    )
