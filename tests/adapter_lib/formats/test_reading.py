"""Files of strangers, and what is written for them."""

import os
from pathlib import Path

import pytest
import torch

from adapter_lib.formats import reading
from adapter_lib.formats.conversion import Exported
from adapter_lib.formats.reading import read_object, read_pickle, read_safetensors, read_tensors
from adapter_lib.formats.writing import write_exported
from adapter_lib.spec.errors import LoadError

_TENSORS = {"a": torch.arange(6.0).view(2, 3), "b": torch.ones(1)}


def _written(folder: Path) -> Path:
    view = _TENSORS["a"].t().t()
    exported = Exported("peft", {"c.json": {"z": 1, "a": "ä"}}, {"w.safetensors": {**_TENSORS, "view": view}})
    report = write_exported(exported, folder, "a")
    assert (report.tensors, report.format) == (3, "peft")
    assert report.size == (folder / "w.safetensors").stat().st_size
    return folder


def test_there_and_back(tmp_path: Path) -> None:
    folder = _written(tmp_path / "new")
    assert sorted(path.name for path in folder.iterdir()) == ["c.json", "w.safetensors"]
    assert read_object(folder / "c.json") == {"a": "ä", "z": 1}
    tensors, name = read_tensors(folder, "w.safetensors", "w.bin")
    assert name == "w.safetensors"
    assert torch.equal(tensors["view"], _TENSORS["a"])


def test_a_pickle_where_there_is_nothing_better(tmp_path: Path) -> None:
    torch.save(_TENSORS, tmp_path / "w.bin")
    tensors, name = read_tensors(tmp_path, "w.safetensors", "w.bin")
    assert name == "w.bin"
    assert torch.equal(tensors["a"], _TENSORS["a"])


def test_old_pickles(tmp_path: Path) -> None:
    torch.save(_TENSORS, tmp_path / "w.bin", _use_new_zipfile_serialization=False)
    assert torch.equal(read_pickle(tmp_path / "w.bin")["a"], _TENSORS["a"])


def test_limits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = _written(tmp_path)
    monkeypatch.setattr(reading, "MAX_JSON", 3)
    monkeypatch.setattr(reading, "MAX_WEIGHTS", 3)
    with pytest.raises(LoadError, match="more than the 3 that are read"):
        read_object(folder / "c.json")
    for read in (read_safetensors, read_pickle):
        with pytest.raises(LoadError, match="more than the 3 that are read"):
            read(folder / "w.safetensors")


def test_what_is_no_file(tmp_path: Path) -> None:
    (tmp_path / "folder.json").mkdir()
    with pytest.raises(LoadError, match="is no regular file"):
        read_object(tmp_path / "folder.json")
    with pytest.raises(LoadError, match="No such file"):
        read_object(tmp_path / "nothing.json")


@pytest.mark.skipif(os.geteuid() == 0, reason="nothing is forbidden to root")
def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(LoadError, match="could not be written"):
        _written(tmp_path / "new")


def test_a_place_that_is_taken(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(LoadError, match="The adapter 'a' could not be written"):
        _written(tmp_path / "file")
