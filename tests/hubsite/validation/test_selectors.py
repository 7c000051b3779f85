"""Who may read a run, and what it says."""

import uuid

import pytest

from hubsite.accounts.actors import Actor
from hubsite.accounts.models import User
from hubsite.core.errors import NotFound
from hubsite.validation.models import Severity
from hubsite.validation.reports import Found
from hubsite.validation.selectors import find_run, run_view
from hubsite.validation.services import runs
from hubsite.validation.steps import StepName
from tests.hubsite import factories
from tests.hubsite.validation.made import make_run
from tests.hubsite.validation.test_claims import claimed


def test_an_unpublished_run_is_its_owners_secret(alice: User, bob: User) -> None:
    run = make_run(alice)
    assert find_run(Actor.of_user(alice), str(run.id)) == run
    for stranger in (Actor.of_user(bob), Actor.anonymous()):
        with pytest.raises(NotFound, match="no validation run"):
            find_run(stranger, str(run.id))
        with pytest.raises(NotFound):
            run_view(run, stranger)


@pytest.mark.parametrize("wrong", ["nonsense", str(uuid.UUID(int=7))])
def test_an_absent_run_answers_like_a_hidden_one(alice: User, wrong: str) -> None:
    with pytest.raises(NotFound, match="There is no validation run"):
        find_run(Actor.of_user(alice), wrong)


def test_a_published_run_is_for_all_who_see_the_repo(alice: User, bob: User) -> None:
    run = make_run(alice)
    factories.publish(run.commit)
    assert find_run(Actor.anonymous(), str(run.id)) == run
    run.commit.repo.private = True
    run.commit.repo.save()
    with pytest.raises(NotFound):
        find_run(Actor.of_user(bob), str(run.id))


def test_the_view_tells_steps_and_findings_in_words(alice: User) -> None:
    run = make_run(alice)
    claim = claimed(run)
    runs.start_step(claim, StepName.LAYOUT)
    runs.append_log(claim, StepName.LAYOUT, "2 files")
    runs.finish_step(claim, StepName.LAYOUT, passed=True, duration_ms=3)
    runs.start_step(claim, StepName.FORMAT)
    runs.add_finding(claim, Found(StepName.FORMAT, "format.pickle", Severity.ERROR, "weights.bin"))
    view = run_view(find_run(Actor.of_user(alice), str(run.id)), Actor.of_user(alice))
    assert (view.repo, view.status, view.state, view.finished) == (
        "alice/example",
        "running",
        "validating",
        False,
    )
    assert [step.status for step in view.steps[:3]] == ["passed", "running", "pending"]
    assert (view.steps[0].title, view.steps[0].log, view.steps_done) == ("Layout and sizes", "2 files\n", 1)
    finding = view.steps[1].findings[0]
    assert (finding.severity, finding.path, finding.actor) == ("error", "weights.bin", "author")
    assert finding.sentence.startswith("weights.bin is a pickle file.")
