"""Zip archives: what they hold stays inside, and is no more than they say."""

import stat
import zipfile
from pathlib import Path

import pytest
import torch

from adapter_lib.formats import archives
from adapter_lib.formats.archives import unpacked
from adapter_lib.spec.errors import LoadError
from tests.adapter_lib.formats.adapterhub import folders


def _archive(path: Path, members: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


@pytest.mark.parametrize("inside", ["", "sst-2/"])
def test_an_adapter_in_an_archive(tmp_path: Path, inside: str) -> None:
    first = folders.written(tmp_path / "folder", "seq_bn")
    files = {f"{inside}{path.name}": path.read_bytes() for path in (tmp_path / "folder").iterdir()}
    packed = _archive(tmp_path / "sst-2.zip", files)
    second = folders.model()
    second.load_adapter(packed)
    second.set_active_adapters("sst-2")
    assert torch.equal(folders.logits(second), folders.logits(first))


def test_a_native_adapter_in_an_archive(tmp_path: Path) -> None:
    first = folders.written(tmp_path / "hub", "seq_bn")
    first.save_adapter(tmp_path / "native", "a")
    files = {path.name: path.read_bytes() for path in (tmp_path / "native").iterdir()}
    assert folders.loaded(_archive(tmp_path / "a.zip", files)).adapter_runtime.injection.configs


def test_a_folder_is_itself(tmp_path: Path) -> None:
    with unpacked(tmp_path) as found:
        assert found == tmp_path


def test_it_is_gone_afterwards(tmp_path: Path) -> None:
    with unpacked(_archive(tmp_path / "a.zip", {"a.txt": b"1"})) as found:
        assert (found / "a.txt").read_bytes() == b"1"
    assert not found.exists()


@pytest.mark.parametrize(
    "name", ["../evil", "a/../../evil", "/tmp/evil", "a\\..\\evil", "C:evil", "..", "a/\x07"]
)
def test_a_path_that_leads_out(tmp_path: Path, name: str) -> None:
    inner = tmp_path / "a" / "b"
    inner.mkdir(parents=True)
    packed = _archive(inner / "a.zip", {"fine": b"1", name: b"2"})
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(LoadError, match="no plain file inside the archive"), unpacked(packed):
        pass
    assert sorted(tmp_path.rglob("*")) == before
    assert not Path("/tmp/evil").exists()


def test_a_link(tmp_path: Path) -> None:
    entry = zipfile.ZipInfo("link")
    entry.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr(entry, "/etc/passwd")
    with pytest.raises(LoadError, match="'link', which is no plain file"), unpacked(tmp_path / "a.zip"):
        pass


def test_a_member_that_swells(tmp_path: Path) -> None:
    packed = _archive(tmp_path / "a.zip", {"zeros": b"\0" * 3_000_000})
    with pytest.raises(LoadError, match="'zeros' would unpack to more than 100 times"), unpacked(packed):
        pass


@pytest.mark.parametrize(("limit", "value"), [("MAX_FILES", 1), ("MAX_WEIGHTS", 3)])
def test_too_much(tmp_path: Path, limit: str, value: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archives, limit, value)
    packed = _archive(tmp_path / "a.zip", {"a": b"12", "b": b"34"})
    with pytest.raises(LoadError, match="holds 2 files of 4 bytes"), unpacked(packed):
        pass


@pytest.mark.parametrize("content", [b"", b"no archive", b"PK\x03\x04 and more"])
def test_no_archive(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.zip").write_bytes(content)
    with pytest.raises(LoadError, match="neither a folder nor a zip"), unpacked(tmp_path / "a.zip"):
        pass


def test_a_damaged_archive(tmp_path: Path) -> None:
    packed = _archive(tmp_path / "a.zip", {"a": bytes(range(256)) * 9})
    data = bytearray(packed.read_bytes())
    data[60:80] = b"\xff" * 20
    packed.write_bytes(data)
    with pytest.raises(LoadError, match="cannot be unpacked"), unpacked(packed):
        pass


def test_one_name_twice(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("a", b"1")
        with pytest.warns(UserWarning, match="Duplicate name"):
            archive.writestr("a", b"2")
    with pytest.raises(LoadError, match="cannot be unpacked"), unpacked(tmp_path / "a.zip"):
        pass


def test_another_way_of_packing(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_LZMA) as archive:
        archive.writestr("a", b"1")
    with pytest.raises(LoadError, match="in a way that is not read here"), unpacked(tmp_path / "a.zip"):
        pass
