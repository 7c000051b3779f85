"""What is kept of a training."""

import json
from pathlib import Path

import pytest

from adapter_lib.spec.errors import LoadError
from adapter_lib.tasks.metrics import Score
from adapter_lib.tasks.record import RECORD_FILE, TrainingRecord, read_record, write_record

RECORD = TrainingRecord(
    task="classification",
    backbone="someone/tiny-bert",
    method="lora[r=4]",
    source="reviews/train.jsonl",
    max_length=48,
    scores=(Score("accuracy", 0.5, 0.25, 0.75), Score("mcc", float("nan"))),
    rest={"seed": 42, "loss": float("inf")},
)


def test_a_record_is_read_back(tmp_path: Path) -> None:
    write_record(tmp_path, RECORD)
    assert [path.name for path in tmp_path.iterdir()] == [RECORD_FILE]
    found = read_record(tmp_path)
    assert found is not None
    assert (found.task, found.backbone, found.method) == ("classification", "someone/tiny-bert", "lora[r=4]")
    assert (found.source, found.max_length) == ("reviews/train.jsonl", 48)
    # A measure that was no number is not kept.
    assert [(score.name, score.value) for score in found.scores] == [("accuracy", 0.5)]
    document = json.loads((tmp_path / RECORD_FILE).read_text())
    assert (document["seed"], document["loss"]) == (42, None)
    assert document["scores"] == [{"name": "accuracy", "value": 0.5, "low": 0.25, "high": 0.75}]


def test_a_folder_without_one(tmp_path: Path) -> None:
    assert read_record(tmp_path) is None
    (tmp_path / "archive.zip").write_bytes(b"")
    assert read_record(tmp_path / "archive.zip") is None


@pytest.mark.parametrize("content", ["{", "[]", "{}", '{"task": 3}', '{"task": "qa", "backbone": "x"}'])
def test_a_broken_one(tmp_path: Path, content: str) -> None:
    (tmp_path / RECORD_FILE).write_text(content)
    with pytest.raises(LoadError, match=r"training_record\.json cannot be used \(.*\): remove or mend it\."):
        read_record(tmp_path)


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    with pytest.raises(LoadError, match="could not be written"):
        write_record(tmp_path / "none", RECORD)
