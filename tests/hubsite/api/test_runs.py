import uuid

import pytest

from hubsite.accounts.models import User
from hubsite.registry.services import states
from hubsite.validation.models import Run
from tests.hubsite.api.asking import get
from tests.hubsite.factories import make_repo, make_token
from tests.hubsite.search.made import give_score, make_adapter, make_suite

pytestmark = pytest.mark.django_db


def test_a_run_with_its_ten_steps(alice: User) -> None:
    commit = make_adapter(alice, "praise", published=False)
    run = Run.objects.get(commit=commit)
    answer = get(f"/runs/{run.id}", token=make_token(alice))
    assert (answer["id"], answer["repo"], answer["revision"]) == (str(run.id), "alice/praise", commit.sha)
    assert (answer["status"], answer["state"], answer["finished"]) == ("queued", "received", False)
    assert [step["number"] for step in answer["steps"]] == list(range(1, 11))
    assert (answer["steps_done"], answer["findings"], answer["scores"]) == (0, [], [])


def test_a_run_is_found_by_repo_and_revision(alice: User) -> None:
    first = make_adapter(alice, "praise")
    second = make_adapter(alice, "praise", body="Two.")
    assert get("/runs", repo="alice/praise")["revision"] == second.sha
    assert get("/runs", repo="Alice/Praise", revision=first.sha)["revision"] == first.sha


def test_scores_stand_in_the_run_that_measured_them(alice: User) -> None:
    commit = make_adapter(alice, "praise")
    give_score(commit, make_suite(alice), 0.9)
    score = get("/runs", repo="alice/praise")["scores"][0]
    assert (score["suite"], score["value"], score["probe"]) == ("tiny", 0.9, 0.7)


def test_the_run_of_an_unpublished_commit_is_for_those_who_may_write(alice: User, bob: User) -> None:
    run = Run.objects.get(commit=make_adapter(alice, "praise", published=False))
    for token in ("", make_token(bob), make_token(alice, "read")):
        get(f"/runs/{run.id}", token=token, status=404)
        get("/runs", repo="alice/praise", token=token, status=404)
    states.publish(run.commit)
    assert get(f"/runs/{run.id}")["state"] == "published"


@pytest.mark.parametrize("run_id", [str(uuid.UUID(int=0)), "not-a-run", "0"])
def test_there_is_no_such_run(db: None, run_id: str) -> None:
    assert get(f"/runs/{run_id}", status=404)["error"]["code"] == "not_found"


@pytest.mark.parametrize(
    ("parameters", "status"),
    [
        ({}, 400),
        ({"repo": "alice"}, 400),
        ({"repo": "alice/absent"}, 404),
        ({"repo": "alice/empty"}, 404),
        ({"repo": "alice/empty", "revision": "v1"}, 404),
    ],
)
def test_errors(alice: User, parameters: dict[str, str], status: int) -> None:
    make_repo(alice, "empty")
    get("/runs", status=status, **parameters)
