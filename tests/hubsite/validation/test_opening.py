"""Every new revision of an adapter gets one run."""

from pytest_django import DjangoCaptureOnCommitCallbacks

from hubsite.accounts.models import User
from hubsite.registry.models import RepoKind
from hubsite.validation.models import Run, RunStatus
from hubsite.validation.services import runs
from tests.hubsite import factories
from tests.hubsite.validation.made import make_run


def test_a_new_revision_is_queued_with_ten_steps_and_one_message(
    alice: User, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    with django_capture_on_commit_callbacks() as sent:
        run = make_run(alice)
    assert len(sent) == 1
    assert run.status == RunStatus.QUEUED
    assert [step.name for step in run.steps.all()] == [
        "layout", "format", "header", "config", "tensors", "load", "effect", "evaluate", "card", "publish"
    ]  # fmt: skip


def test_opening_twice_is_one_run(alice: User) -> None:
    run = make_run(alice)
    assert runs.open_run(run.commit) == run
    assert run.steps.count() == 10


def test_a_dataset_is_not_validated(alice: User) -> None:
    repo = factories.make_repo(alice, "rows", RepoKind.DATASET)
    factories.make_commit(repo, {"test.jsonl": b"{}"})
    assert not Run.objects.exists()
