"""Folders and files appear whole, also where the process dies on the way."""

import os
import signal
import warnings
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from adapter_lib.formats.atomic import files_in, whole_folder, write_tensors
from adapter_lib.spec.errors import LoadError

OWN = ("mark.json", "parts")


def _names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def _write(folder: Path, text: str) -> None:
    with whole_folder(folder, OWN, "The thing") as made:
        (made / "parts").mkdir()
        (made / "parts" / "one").write_text(text)
        (made / "mark.json").write_text(text)


def test_a_folder_is_replaced_and_what_lies_beside_is_kept(tmp_path: Path) -> None:
    folder = tmp_path / "deep" / "thing"
    _write(folder, "first")
    (folder / "README.md").write_text("mine")
    (folder / "parts" / "old").write_text("gone soon")
    _write(folder, "second")
    assert _names(folder) == ["README.md", "mark.json", "parts"]
    assert _names(folder / "parts") == ["one"]
    assert (folder / "mark.json").read_text() == "second"
    assert _names(folder.parent) == ["thing"]


def test_a_folder_of_something_else_is_refused(tmp_path: Path) -> None:
    (tmp_path / "letters.txt").write_text("mine")
    with pytest.raises(LoadError, match=r"could not be written.*is not empty and has no mark\.json"):
        _write(tmp_path, "text")
    _write(tmp_path / "new", "text")
    (tmp_path / "new" / ".git").mkdir()
    with pytest.raises(LoadError, match=r"\.git in it would be lost"):
        _write(tmp_path / "new", "other")
    assert (tmp_path / "new" / "mark.json").read_text() == "text"
    assert (tmp_path / "letters.txt").read_text() == "mine"


def test_what_cannot_be_written_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(LoadError, match="could not be written"):
        _write(tmp_path / "file" / "thing", "text")
    with pytest.raises(ZeroDivisionError), whole_folder(tmp_path / "x", OWN, "The thing") as made:
        (made / "mark.json").write_text(str(1 // 0))
    assert _names(tmp_path) == ["file"]


def test_files_appear_in_their_order_and_others_stay(tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text("kept")
    (tmp_path / "config").write_text("old")
    with files_in(tmp_path, ("weights", "config"), "The thing") as workshop:
        write_tensors({"a": torch.ones(2, 3).t()}, workshop / "weights")
        (workshop / "config").write_text("new")
        assert (tmp_path / "config").read_text() == "old"
    assert _names(tmp_path) == ["README.md", "config", "weights"]
    assert load_file(tmp_path / "weights")["a"].shape == (3, 2)
    with pytest.raises(LoadError, match="could not be written"), files_in(tmp_path, ("none",), "The thing"):
        pass


def killed_while(write: Callable[[], None]) -> None:
    """Run something in a copy of this process that it kills, so that nothing is tidied up."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        child = os.fork()
    if child == 0:
        try:
            write()
        finally:
            os._exit(1)
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status)
    assert os.WTERMSIG(status) == signal.SIGKILL


@pytest.mark.parametrize("existed", [False, True])
def test_a_killed_writer_leaves_no_half_folder(existed: bool, tmp_path: Path) -> None:
    folder = tmp_path / "thing"

    def half() -> None:
        with whole_folder(folder, OWN, "The thing") as made:
            (made / "mark.json").write_text("half")
            os.kill(os.getpid(), signal.SIGKILL)

    if existed:
        _write(folder, "former")
    killed_while(half)
    if existed:
        assert (folder / "mark.json").read_text() == "former"
        assert _names(folder / "parts") == ["one"]
    else:
        assert not folder.exists()
    # What is left over does not stand in the way.
    _write(folder, "again")
    assert (folder / "mark.json").read_text() == "again"
