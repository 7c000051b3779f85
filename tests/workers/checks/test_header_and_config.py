"""Steps 3 and 4: both parsers' refusals become findings, and the backbone's own word counts."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.workers.checks.hearing import backbone_of, case_of, hear
from tests.workers.tiny import config_of
from workers.checks.config import config
from workers.checks.header import header


def changed(folder: Path, target: Path, **changes: Any) -> Path:
    """A copy of an adapter whose adapter_config.json differs in some keys; `a__b` is a key within a."""
    shutil.copytree(folder, target)
    values = config_of(folder)
    for path, value in changes.items():
        outer, _, inner = path.partition("__")
        if inner:
            values[outer][inner] = value
        else:
            values[outer] = value
    (target / "adapter_config.json").write_text(json.dumps(values))
    return target


def test_a_sound_header_is_counted(adapter_folder: Path) -> None:
    heard = hear(header, case_of(adapter_folder))
    assert heard.codes == []
    assert heard.logged == ["10 tensors, 1,090 values (F32)"]


def test_a_broken_header_keeps_the_parsers_code_and_words(adapter_folder: Path, tmp_path: Path) -> None:
    data = (adapter_folder / "adapter.safetensors").read_bytes()
    (tmp_path / "adapter.safetensors").write_bytes(data[:-4])
    heard = hear(header, case_of(tmp_path))
    assert heard.errors == ["header.size_mismatch"]
    assert "cut off" in str(heard.found[0].detail["reason"])


def test_a_sound_config_names_method_and_backbone(adapter_folder: Path, backbone_folder: Path) -> None:
    heard = hear(config, case_of(adapter_folder, backbone=backbone_of(backbone_folder)))
    assert (heard.codes, heard.logged) == ([], ["lora on tiny/bert (bert)"])


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"surprise": 1}, "manifest.unknown_key"),
        ({"schema_version": 99}, "manifest.newer_schema"),
        ({"format": "other"}, "manifest.foreign_format"),
        ({"method": "magic"}, "manifest.bad_value"),
    ],
)
def test_a_wrong_config_keeps_the_parsers_code(
    adapter_folder: Path, tmp_path: Path, changes: dict[str, Any], code: str
) -> None:
    assert hear(config, case_of(changed(adapter_folder, tmp_path / "a", **changes))).errors == [code]


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"backbone__hidden_size": 64}, "hidden_size"),
        ({"backbone__num_layers": 12}, "num_layers"),
        ({"backbone__model_type": "roberta"}, "model_type"),
        ({"role_table": "0" * 64}, "role_table"),
    ],
)
def test_a_config_that_contradicts_the_backbone_is_refused(
    adapter_folder: Path, backbone_folder: Path, tmp_path: Path, changes: dict[str, Any], field: str
) -> None:
    folder = changed(adapter_folder, tmp_path / "a", **changes)
    heard = hear(config, case_of(folder, backbone=backbone_of(backbone_folder)))
    assert heard.errors == ["config.backbone_mismatch"]
    assert heard.found[0].detail["field"] == field


def test_an_adapter_that_names_no_backbone_cannot_be_placed(adapter_folder: Path, tmp_path: Path) -> None:
    folder = changed(adapter_folder, tmp_path / "a", backbone__id="")
    assert hear(config, case_of(folder)).errors == ["config.no_backbone"]


def test_a_backbone_of_no_known_family_is_refused(adapter_folder: Path, tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text('{"model_type": "abacus"}')
    heard = hear(config, case_of(adapter_folder, backbone=backbone_of(tmp_path)))
    assert heard.errors == ["config.family"]
