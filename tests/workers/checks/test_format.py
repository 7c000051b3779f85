"""Step 2: safetensors, and nothing that could run."""

import pickle
import zipfile
from pathlib import Path

import pytest

from tests.workers.checks.hearing import case_of, hear
from workers.checks.format import format_


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
@pytest.mark.parametrize("name", ["pytorch_model.bin", "adapter.safetensors", "innocent.txt"])
def test_a_pickle_is_known_by_name_and_by_content(tmp_path: Path, protocol: int, name: str) -> None:
    (tmp_path / name).write_bytes(pickle.dumps({"a": 1}, protocol=protocol))
    heard = hear(format_, case_of(tmp_path))
    assert heard.errors == ["format.pickle"]
    assert heard.found[0].path == name


def test_a_torch_archive_is_a_pickle_whatever_its_name(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "adapter.safetensors", "w") as archive:
        archive.writestr("archive/data.pkl", pickle.dumps([]))
    assert hear(format_, case_of(tmp_path)).errors == ["format.pickle"]


@pytest.mark.parametrize(
    ("name", "content", "code"),
    [
        ("adapter.safetensors", b"", "format.not_safetensors"),
        ("adapter.safetensors", b"Dear hub, this is no adapter", "format.not_safetensors"),
        ("everything.tar.gz", b"\x1f\x8b", "format.archive"),
        ("README.md", b"\xff\xfe", "format.not_text"),
        ("adapter_config.json", b"\xff\xfe", "format.not_text"),
    ],
)
def test_what_is_not_what_it_should_be(tmp_path: Path, name: str, content: bytes, code: str) -> None:
    (tmp_path / name).write_bytes(content)
    assert hear(format_, case_of(tmp_path)).errors == [code]


def test_program_text_is_only_mentioned(tmp_path: Path) -> None:
    (tmp_path / "train.py").write_text("print('hello')")
    heard = hear(format_, case_of(tmp_path))
    assert (heard.codes, heard.errors) == (["format.program"], [])


def test_an_adapter_is_of_the_right_format(adapter_folder: Path) -> None:
    assert hear(format_, case_of(adapter_folder)).codes == []
