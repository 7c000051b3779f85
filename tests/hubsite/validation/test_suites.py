"""Evaluation sets come onto the hub once, and never change under scores."""

import json
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from hubsite.accounts.models import User
from hubsite.core.errors import BadInput
from hubsite.registry.models import Commit, CommitState, Repo
from hubsite.validation.models import Suite
from hubsite.validation.services.suites import import_suite
from hubsite.validation.suite_files import Row, read_description, read_split
from tests.hubsite.factories import actor_of
from tests.hubsite.validation.made import sentiment, write_suite


def test_a_suite_becomes_a_dataset_and_a_row(alice: User, tmp_path: Path) -> None:
    sentiment()
    suite = import_suite(actor_of(alice), write_suite(tmp_path / "suite"), namespace="alice")
    assert (suite.repo.full_name, suite.repo.is_dataset) == ("alice/tiny-sentiment", True)
    assert suite.commit.state == CommitState.PUBLISHED
    assert (suite.task.slug, suite.labels, suite.current) == ("sentiment", ["negative", "positive"], True)


def test_the_same_bytes_again_change_nothing(alice: User, tmp_path: Path) -> None:
    sentiment()
    folder = write_suite(tmp_path / "suite")
    first = import_suite(actor_of(alice), folder, namespace="alice")
    assert import_suite(actor_of(alice), folder, namespace="alice") == first
    assert (Suite.objects.count(), Repo.objects.count(), Commit.objects.count()) == (1, 1, 1)


def test_other_bytes_need_another_version(alice: User, tmp_path: Path) -> None:
    sentiment()
    first = import_suite(actor_of(alice), write_suite(tmp_path / "suite"), namespace="alice")
    with pytest.raises(BadInput, match="Raise the version"):
        import_suite(actor_of(alice), write_suite(tmp_path / "suite", rows=10), namespace="alice")
    second = import_suite(
        actor_of(alice), write_suite(tmp_path / "suite", rows=10, version=2), namespace="alice"
    )
    first.refresh_from_db()
    assert (first.current, second.current) == (False, True)
    assert first.commit != second.commit
    assert first.repo == second.repo


def test_an_unknown_task_is_named(alice: User, tmp_path: Path) -> None:
    folder = write_suite(tmp_path / "suite")
    description = json.loads((folder / "suite.yaml").read_text())
    (folder / "suite.yaml").write_text(json.dumps({**description, "task": "mind-reading"}))
    with pytest.raises(BadInput, match="mind-reading"):
        import_suite(actor_of(alice), folder, namespace="alice")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"metric": "vibes"}, "metric must be one of"),
        ({"protocol": "telepathy"}, "protocol must be one of"),
        ({"labels": ["only"]}, "at least two"),
        ({"labels": ["a", "a"]}, "at least two"),
        ({"version": "1"}, "version must be a int"),
        ({"version": 0}, "starts at 1"),
        ({"surprise": 1}, "unknown keys: surprise"),
    ],
)
def test_a_wrong_description_is_refused(tmp_path: Path, changes: dict[str, object], message: str) -> None:
    folder = write_suite(tmp_path)
    description = json.loads((folder / "suite.yaml").read_text())
    (folder / "suite.yaml").write_text(json.dumps({**description, **changes}))
    with pytest.raises(BadInput, match=message):
        read_description(folder)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("not json", "must be a JSON object"),
        ("[1]", "must be a JSON object"),
        ('{"text": "x"}', "must be a JSON object"),
        ('{"text": " ", "label": "positive"}', "not empty"),
        ('{"text": "x", "label": "neutral"}', "none of negative, positive"),
    ],
)
def test_a_wrong_row_is_named_with_its_line(tmp_path: Path, line: str, message: str) -> None:
    folder = write_suite(tmp_path)
    with (folder / "test.jsonl").open("a") as file:
        file.write(line + "\n")
    with pytest.raises(BadInput, match=rf"test.jsonl, line 9: .*{message}"):
        read_split(folder, "test", read_description(folder))


def test_rows_carry_the_number_of_their_label(tmp_path: Path) -> None:
    rows = read_split(write_suite(tmp_path, rows=2), "test", read_description(tmp_path))
    assert rows == [Row("bad film test 0", 0), Row("good film test 0", 1)]


def test_the_command_says_what_it_did(
    alice: User, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sentiment()
    call_command("import_suite", str(write_suite(tmp_path / "suite")), "--namespace", "Alice")
    assert capsys.readouterr().out.startswith("tiny-sentiment v1 for sentiment is alice/tiny-sentiment@")
    with pytest.raises(CommandError, match="no namespace 'nobody'"):
        call_command("import_suite", str(tmp_path / "suite"), "--namespace", "nobody")
