"""A run while it goes on, when it has failed, and when it has passed."""

import re

from django.test import Client
from pytest_django import DjangoAssertNumQueries

from hubsite.accounts.models import User
from hubsite.validation.models import Run, Severity
from hubsite.validation.reports import Found
from hubsite.validation.services import runs
from hubsite.validation.steps import StepName
from tests.functional import gallery, validations
from tests.functional.exhibits import ADAPTERS
from tests.hubsite import factories

_ZERO = Found(StepName.TENSORS, "tensors.no_effect", Severity.ERROR, detail={"tensor": "every lora_b"})


def _run(alice: User) -> Run:
    repo = factories.make_repo(alice, "mine")
    return Run.objects.get(commit=factories.make_commit(repo, gallery.files_of(ADAPTERS[0])))


def _text(client: Client, path: str, status: int = 200) -> str:
    response = client.get(path)
    assert response.status_code == status
    return response.content.decode()


def test_it_is_followed_while_it_goes_on(alice: User, as_alice: Client) -> None:
    run = _run(alice)
    waiting = _text(as_alice, f"/runs/{run.id}")
    assert "as soon as a worker is free" in waiting
    assert f'hx-get="/runs/{run.id}/trail"' in waiting
    assert '<noscript><meta http-equiv="refresh"' in waiting
    validations.start(run, 6)
    assert "6 of 10 steps done, now: effect." in _text(as_alice, f"/runs/{run.id}")


def test_the_fragment_is_sent_only_when_something_changed(alice: User, as_alice: Client) -> None:
    run = _run(alice)
    claim = validations.start(run, 1)
    first = _text(as_alice, f"/runs/{run.id}/trail")
    assert "<html" not in first
    found = re.search(r'name="seen" value="(\w+)"', first)
    assert found is not None
    path = f"/runs/{run.id}/trail?seen={found[1]}"
    assert _text(as_alice, path, 204) == ""
    runs.finish_step(claim, StepName.FORMAT, passed=True, duration_ms=2)
    assert "2 of 10 steps done" in _text(as_alice, path)
    runs.finish(claim, passed=True)
    assert "Published" in _text(as_alice, path, 286)


def test_a_failure_says_what_to_do(alice: User, as_alice: Client, as_bob: Client, client: Client) -> None:
    run = _run(alice)
    validations.fail(run, StepName.TENSORS, _ZERO)
    html = _text(as_alice, f"/runs/{run.id}")
    assert "All values of every lora_b are zero, so the adapter changes nothing." in html
    assert "saved before it was trained" in html
    assert "/upload?name=mine" in html
    assert "hx-get" not in html
    assert "refresh" not in html
    for stranger in (as_bob, client):
        _text(stranger, f"/runs/{run.id}", 404)
        _text(stranger, f"/runs/{run.id}/trail", 404)


def test_a_passed_one_gives_the_line_of_code_to_everyone(alice: User, client: Client) -> None:
    run = _run(alice)
    validations.pass_run(run, validations.Outcome())
    html = _text(client, f"/runs/{run.id}")
    assert "All 10 steps passed in 4.6 s." in html
    assert "adapter_lib.load(&quot;hub:alice/mine&quot;" in html


def test_there_are_no_other_runs(client: Client, db: None) -> None:
    _text(client, "/runs/00000000-0000-0000-0000-000000000000", 404)
    _text(client, "/runs/nonsense", 404)


def test_asking_every_second_is_cheap(
    alice: User, as_alice: Client, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    run = _run(alice)
    validations.start(run, 3)
    with django_assert_max_num_queries(6):
        _text(as_alice, f"/runs/{run.id}/trail")
