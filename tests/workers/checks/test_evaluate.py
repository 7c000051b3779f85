"""Steps 6 to 8 in this process: order of labels, samples, what is measured and what is said."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from hubsite.validation.reports import BaselineMeasurement, Measurement
from hubsite.validation.suite_files import Row
from tests.hubsite.validation.made import write_suite
from tests.workers.checks.hearing import Heard, backbone_of, case_of, hear
from workers import loaded
from workers.baselines import majority
from workers.case import SuiteFiles
from workers.checks.effect import effect
from workers.checks.evaluate import MOST_ROWS, evaluate, label_order, sample
from workers.checks.load import load
from workers.subject import Subject


@pytest.fixture
def subject(adapter_folder: Path, backbone_folder: Path, tmp_path: Path) -> Iterator[Any]:
    """The adapter loaded on its backbone, as after step 6; `facts` as the case has them."""
    suite = SuiteFiles("tiny", write_suite(tmp_path / "suite", rows=10))

    def make(**facts: Any) -> Subject:
        known = {"backbone": backbone_of(backbone_folder), "suite": suite, "task": "sentiment"}
        subject = Subject(case_of(adapter_folder, **{**known, **facts}))
        assert hear(load, subject).errors == []
        return subject

    loaded.forget()
    yield make
    loaded.forget()  # in a worker the adapter is gone with the child


def test_an_adapter_changes_its_model(subject: Any) -> None:
    heard = hear(effect, subject())
    assert heard.errors == []
    assert heard.logged[0].startswith("largest change of a hidden value")


def test_a_score_comes_with_its_speed_and_its_baselines(subject: Any) -> None:
    heard = hear(evaluate, subject(needs_baselines=True))
    kinds = [type(one) for one in heard.measured]
    assert kinds == [Measurement, BaselineMeasurement, BaselineMeasurement]
    assert [one.result.examples for one in heard.measured] == [10, 10, 10]
    assert len(heard.logged) == 3


def test_a_claim_outside_the_interval_is_mentioned(subject: Any) -> None:
    heard = hear(evaluate, subject(claimed=1.0))
    claim = next(found for found in heard.found if found.code == "evaluate.claim_differs")
    assert claim.detail["claimed"] == "1.000"


def test_no_better_than_the_commonest_label_is_a_warning(subject: Any) -> None:
    examined = subject()
    heard = hear(evaluate, examined)
    value = heard.measured[0].result.value
    assert ("evaluate.below_majority" in heard.codes) == (value <= 0.5)
    assert heard.errors == []


@pytest.mark.parametrize(
    ("facts", "code"),
    [({"task": "", "suite": None}, "evaluate.no_task"), ({"suite": None}, "evaluate.no_suite")],
)
def test_without_a_task_or_a_suite_nothing_is_measured(
    subject: Any, facts: dict[str, Any], code: str
) -> None:
    heard: Heard = hear(evaluate, subject(**facts))
    assert (heard.codes, heard.measured) == ([code], [])


def test_a_suite_that_cannot_be_read_is_the_hubs_fault(subject: Any, tmp_path: Path) -> None:
    heard = hear(evaluate, subject(suite=SuiteFiles("gone", tmp_path / "nowhere")))
    assert heard.errors == ["hub.suite_unavailable"]


@pytest.mark.parametrize(
    ("head", "order"),
    [
        (["negative", "positive"], [0, 1]),
        (["Positive", " NEGATIVE"], [1, 0]),
        (["positive"], None),
        (["negative", "neutral", "positive"], None),
        (["positive", "positive"], None),
        (["LABEL_0", "LABEL_1"], None),
    ],
)
def test_labels_are_matched_by_name(head: list[str], order: list[int] | None) -> None:
    assert label_order(head, ["negative", "positive"]) == order


def test_large_test_splits_are_sampled_alike() -> None:
    rows = [Row(str(number), number % 2) for number in range(MOST_ROWS + 500)]
    chosen = sample(rows)
    assert len(chosen) == MOST_ROWS
    assert chosen == sample(rows)
    assert [int(row.text) for row in chosen] == sorted(int(row.text) for row in chosen)
    assert sample(rows[:10]) == rows[:10]


def test_the_majority_is_the_training_splits() -> None:
    train = [Row("a", 1), Row("b", 1), Row("c", 0)]
    assert majority(train, [Row("x", 0), Row("y", 1), Row("z", 0), Row("w", 0)]).result.value == 0.25
