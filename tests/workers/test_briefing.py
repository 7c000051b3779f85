"""What the children of a run are told."""

from pathlib import Path

import pytest

from hubsite.accounts.models import User
from hubsite.core.errors import StorageError
from hubsite.validation.models import Baseline, BaselineKind, Run
from tests.workers import tiny
from workers.briefing import baselines_of, brief, card_of, suite_for


def claiming(files: dict[str, bytes], claims: str) -> dict[str, bytes]:
    """The files with a claimed result in the card."""
    card = files["README.md"].decode().replace("base_model:", f"{claims}\nbase_model:")
    return {**files, "README.md": card.encode()}


MODEL_INDEX = """model-index:
- name: tiny
  results:
  - task: {type: text-classification}
    dataset: {name: films, type: films}
    metrics:
    - {type: accuracy, value: 0.875}"""


@pytest.fixture
def run(alice: User, bob: User, backbone_folder: Path, adapter_folder: Path, tmp_path: Path) -> Run:
    tiny.publish_backbone(alice, backbone_folder)
    tiny.publish_suite(alice, tmp_path / "suite")
    return tiny.upload(bob, claiming(tiny.files_of(adapter_folder), MODEL_INDEX))


def test_a_case_has_all_that_the_checks_need(run: Run, adapter_folder: Path, tmp_path: Path) -> None:
    case = brief(run, tmp_path, "cpu")
    assert {file.path for file in case.files} == {"README.md", "adapter_config.json", "adapter.safetensors"}
    for file in case.files:
        assert (tmp_path / file.path).stat().st_size == file.size
    assert (case.task, case.claimed) == ("sentiment", 0.875)
    assert case.backbone is not None
    assert case.suite is not None
    assert (case.suite.folder / "test.jsonl").is_file()


def test_what_a_child_may_write_to_is_a_copy(run: Run, tmp_path: Path) -> None:
    brief(run, tmp_path, "cpu")
    assert (tmp_path / "adapter.safetensors").stat().st_nlink == 1


def test_bytes_that_are_gone_are_the_hubs_fault(run: Run, tmp_path: Path, settings: object) -> None:
    entry = run.commit.entries.get(path="adapter.safetensors")
    next(Path(settings.BLOB_DIR).rglob(entry.blob_id)).unlink()  # type: ignore[attr-defined]
    with pytest.raises(StorageError):
        brief(run, tmp_path, "cpu")


def test_baselines_hold_for_one_revision_of_a_backbone(run: Run, tmp_path: Path) -> None:
    card = card_of(run)
    suite = suite_for(card)
    files = brief(run, tmp_path, "cpu").backbone
    assert card is not None
    assert card.backbone is not None
    assert suite is not None
    assert files is not None
    for sha in (files.revision, "0" * 40):
        Baseline.objects.create(
            suite=suite, backbone=card.backbone, backbone_sha=sha, kind=BaselineKind.PROBE,
            value=0.5, low=0.4, high=0.6, examples=10,
        )  # fmt: skip
    assert [one.backbone_sha for one in baselines_of(suite, card.backbone, files).values()] == [
        files.revision
    ]
