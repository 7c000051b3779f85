"""A whole validation: uploads through the services, children that really load and run a model."""

import json
import struct
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from pytest_django import Settings

from hubsite.accounts.models import User
from hubsite.registry.models import CommitState, Ref, RefKind
from hubsite.validation.models import Baseline, Run, RunStatus, Score, Severity, StepStatus
from hubsite.validation.services import runs
from tests.hubsite import factories
from tests.workers import tiny
from workers import pipeline
from workers.examination import Examination
from workers.recorder import Recorder
from workers.validate import validate

Files = dict[str, bytes]


def go(run: Run) -> Run:
    """Validate, and read the run again."""
    validate(run.id, lambda: False)
    run.refresh_from_db()
    run.commit.refresh_from_db()
    return run


def story(run: Run) -> str:
    """What happened, for a failing test."""
    steps = [f"{step.name}: {step.status}\n{step.log}" for step in run.steps.all()]
    findings = [f"{one.severity} {one.code} {one.path} {one.detail}" for one in run.findings.all()]
    return "\n".join([run.status, *steps, *findings])


def errors(run: Run) -> set[str]:
    return set(run.findings.filter(severity=Severity.ERROR).values_list("code", flat=True))


@pytest.fixture
def hub(alice: User, backbone_folder: Path, tmp_path: Path) -> None:
    """A hub with the backbone and a suite for sentiment."""
    tiny.publish_backbone(alice, backbone_folder)
    tiny.publish_suite(alice, tmp_path / "suite")


@pytest.mark.usefixtures("hub")
def test_a_sound_adapter_is_published_with_its_score(bob: User, adapter_folder: Path) -> None:
    run = go(tiny.upload(bob, tiny.files_of(adapter_folder)))
    assert run.status == RunStatus.PASSED, story(run)
    assert run.commit.state == CommitState.PUBLISHED
    assert set(run.steps.values_list("status", flat=True)) == {StepStatus.PASSED}
    score = Score.objects.get(commit=run.commit)
    assert score.examples == 24
    assert 0 <= score.low <= score.value <= score.high <= 1
    assert score.majority == 0.5
    assert score.probe == 1.0  # one word tells the label, and the bare embeddings keep it
    assert score.examples_per_second > 0
    assert Ref.objects.filter(repo=run.commit.repo, kind=RefKind.TAG).get().name == "v1"
    assert not any(Path(tiny.__file__).parent.glob("output.txt"))


@pytest.mark.usefixtures("hub")
def test_baselines_are_measured_once_and_scores_are_reproducible(bob: User, adapter_folder: Path) -> None:
    first = go(tiny.upload(bob, tiny.files_of(adapter_folder), "one"))
    known = list(Baseline.objects.order_by("id").values("id", "value"))
    second = go(tiny.upload(bob, tiny.files_of(adapter_folder), "two"))
    assert list(Baseline.objects.order_by("id").values("id", "value")) == known
    assert "reaches" in first.steps.get(name="evaluate").log
    assert "reaches" not in second.steps.get(name="evaluate").log
    values = [
        Score.objects.values_list("value", "low", "high", "probe").get(run=run) for run in (first, second)
    ]
    assert values[0] == values[1]


def overlapping(files: Files) -> Files:
    """Two tensors that share their bytes."""
    data = files["adapter.safetensors"]
    length = struct.unpack("<Q", data[:8])[0]
    header = json.loads(data[8 : 8 + length])
    first, second = [name for name in header if name.endswith("lora_b")][:2]
    header[second]["data_offsets"] = header[first]["data_offsets"]
    text = json.dumps(header).encode()
    return {**files, "adapter.safetensors": struct.pack("<Q", len(text)) + text + data[8 + length :]}


def no_adapter(files: Files) -> Files:
    """A file that is not what its name says."""
    return {**files, "adapter.safetensors": b"Dear hub, this is a letter and not an adapter."}


def pickled(files: Files) -> Files:
    return {**files, "pytorch_model.bin": b"\x80\x04\x95\x00."}


def not_even_a_folder(files: Files) -> Files:
    return {"notes.txt": b"hello"}


def unknown_key(files: Files) -> Files:
    config = json.loads(files["adapter_config.json"])
    return {**files, "adapter_config.json": json.dumps({**config, "surprise": 1}).encode()}


def unknown_backbone(files: Files) -> Files:
    config = json.loads(files["adapter_config.json"])
    config["backbone"]["id"] = "nobody/knows"
    return {**files, "adapter_config.json": json.dumps(config).encode()}


@pytest.mark.usefixtures("hub")
@pytest.mark.parametrize(
    ("spoil", "code"),
    [
        (overlapping, "header.overlap"),
        (no_adapter, "format.not_safetensors"),
        (pickled, "format.pickle"),
        (not_even_a_folder, "layout.no_config"),
        (unknown_key, "manifest.unknown_key"),
        (unknown_backbone, "config.backbone_unknown"),
    ],
)
def test_a_spoilt_upload_is_refused_with_its_own_code(
    bob: User,
    adapter_folder: Path,
    spoil: Callable[[Files], Files],
    code: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    run = go(tiny.upload(bob, spoil(tiny.files_of(adapter_folder))))
    assert run.status == RunStatus.FAILED, story(run)
    assert code in errors(run), story(run)
    assert run.commit.state == CommitState.FAILED
    assert run.commit.state_reason
    assert run.steps.get(name="publish").status == StepStatus.SKIPPED
    assert not Score.objects.exists()


@pytest.mark.usefixtures("hub")
@pytest.mark.parametrize(
    ("ending", "change", "code"),
    [
        ("lora_a", lambda tensor: tensor * float("nan"), "tensors.not_finite"),
        ("lora_a", lambda tensor: (tensor * float("nan")).bfloat16(), "tensors.not_finite"),
        ("lora_b", torch.zeros_like, "tensors.no_effect"),
        ("lora_b", lambda tensor: torch.zeros_like(tensor).bfloat16(), "tensors.no_effect"),
        ("lora_a", lambda tensor: tensor.to(torch.int32), "tensors.bad_dtype"),
        ("layers.1.attn.v.lora_a", lambda tensor: tensor[:, :16].contiguous(), "tensors.wrong_shape"),
        ("lora_b", lambda tensor: tensor * 1e30, "effect.not_finite"),
    ],
)
def test_a_spoilt_tensor_is_refused_with_its_own_code(
    bob: User,
    adapter_folder: Path,
    tmp_path: Path,
    ending: str,
    change: Callable[[torch.Tensor], torch.Tensor],
    code: str,
) -> None:
    folder = tiny.with_tensors(adapter_folder, tmp_path / "spoilt", {ending: change})
    run = go(tiny.upload(bob, tiny.files_of(folder)))
    assert run.status == RunStatus.FAILED, story(run)
    assert code in errors(run), story(run)


@pytest.mark.usefixtures("hub")
def test_an_adapter_for_another_hidden_size_is_refused_with_both_sizes(bob: User, tmp_path: Path) -> None:
    for name in ("wide", "adapter"):
        (tmp_path / name).mkdir()
    wide = tiny.save_backbone(tmp_path / "wide", width=64)
    run = go(tiny.upload(bob, tiny.files_of(tiny.save_adapter(wide, tmp_path / "adapter"))))
    assert errors(run) == {"config.backbone_mismatch", "tensors.wrong_shape"}, story(run)
    shape = run.findings.filter(code="tensors.wrong_shape").order_by("id").first()
    assert shape is not None
    assert (shape.detail["actual"], shape.detail["expected"]) == ("4 × 64", "4 × 32")
    assert "hidden_size 64" in run.commit.state_reason


@pytest.mark.usefixtures("hub")
@pytest.mark.parametrize(
    ("head", "labels", "code"),
    [(False, ["a", "b"], "evaluate.no_head"), (True, ["spam", "ham"], "evaluate.label_mismatch")],
)
def test_what_cannot_be_measured_is_published_without_a_score(
    bob: User, backbone_folder: Path, tmp_path: Path, head: bool, labels: list[str], code: str
) -> None:
    folder = tiny.save_adapter(backbone_folder, tmp_path / "adapter", head=head, labels=labels)
    run = go(tiny.upload(bob, tiny.files_of(folder)))
    assert run.status == RunStatus.PASSED, story(run)
    assert run.findings.filter(code=code).exists()
    assert not Score.objects.exists()


@pytest.mark.usefixtures("hub")
def test_spawned_children_measure_the_same(bob: User, adapter_folder: Path, tmp_path: Path) -> None:
    """Where there is a CUDA device, children start anew and load the backbone themselves."""
    forked = go(tiny.upload(bob, tiny.files_of(adapter_folder), "forked"))
    claim = runs.claim(tiny.upload(bob, tiny.files_of(adapter_folder), "spawned").id, "tests")
    assert claim is not None
    examination = Examination(Recorder(claim, lambda: False), tmp_path)
    case = examination.brief()
    examination.phase(pipeline.run_model_phase, case, "spawn")
    measured = examination.recorder.measured
    assert measured is not None
    score = Score.objects.get(run=forked)
    assert (measured.result.value, measured.result.low, measured.result.high) == (
        score.value,
        score.low,
        score.high,
    )


@pytest.mark.usefixtures("hub")
def test_limits_of_the_hub_are_kept_before_anything_is_copied(
    bob: User, adapter_folder: Path, settings: Settings
) -> None:
    settings.MAX_ADAPTER_FILES, settings.MAX_ADAPTER_SIZE = 2, 100
    run = go(tiny.upload(bob, tiny.files_of(adapter_folder)))
    assert errors(run) == {"layout.too_many_files", "layout.too_large"}


@pytest.mark.usefixtures("hub")
def test_a_stopping_worker_hands_the_run_back(bob: User, adapter_folder: Path) -> None:
    run = tiny.upload(bob, tiny.files_of(adapter_folder))
    validate(run.id, lambda: True)
    run.refresh_from_db()
    assert (run.status, run.attempts) == (RunStatus.QUEUED, 0)
    assert go(run).status == RunStatus.PASSED


def test_a_broken_backbone_is_the_hubs_fault(
    alice: User, bob: User, backbone_folder: Path, adapter_folder: Path
) -> None:
    files = tiny.files_of(backbone_folder)
    backbone = tiny.publish_backbone(alice, backbone_folder)
    assert backbone.repo is not None
    factories.make_commit(backbone.repo, {"model.safetensors": files["model.safetensors"][:1000]})
    run = go(tiny.upload(bob, tiny.files_of(adapter_folder)))
    assert run.status == RunStatus.QUEUED, story(run)
    assert errors(run) == {"hub.backbone_unavailable"}
    assert run.not_before is not None
