"""Files and folders that appear whole or not at all, whatever happens while they are written."""

import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from safetensors import SafetensorError
from safetensors.torch import save_file
from torch import Tensor

from adapter_lib.spec.errors import LoadError

_PREFIX = ".saving-"


@contextmanager
def files_in(folder: Path, names: tuple[str, ...], what: str) -> Iterator[Path]:
    """A folder to write files in, which then appear in `folder` one by one, in the order of `names`.

    Whatever else is in the folder stays. The file that says what there is comes last: until it is there, the
    former one is. Raises LoadError if they cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=_PREFIX, dir=folder) as workshop:
            yield Path(workshop)
            for name in names:
                (Path(workshop) / name).replace(folder / name)
    except (OSError, SafetensorError) as error:
        raise LoadError(f"{what} could not be written to {folder}: {error}.") from error


@contextmanager
def whole_folder(folder: Path, own: tuple[str, ...], what: str) -> Iterator[Path]:
    """A folder to write in, which then takes the place of `folder`.

    own: the names that may be in such a folder, first the file that tells one. One that has it is replaced,
    and other files at its top (a README) are kept; any other folder that is not empty is refused. A process
    that is killed leaves the former folder, or none, and perhaps one beside it whose name starts with
    `.saving-`, which holds the former one.
    Raises LoadError if it cannot be written.
    """
    target = Path(os.path.abspath(folder))
    _check_replaceable(target, own, what)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=_PREFIX, dir=target.parent) as workshop:
            made = Path(workshop) / "new"
            made.mkdir()
            yield made
            for path in _others(target, own):
                shutil.copy2(path, made / path.name)
            if target.exists():
                target.rename(Path(workshop) / "old")
            made.rename(target)
    except (OSError, SafetensorError) as error:
        raise LoadError(f"{what} could not be written to {folder}: {error}.") from error


def write_tensors(tensors: Mapping[str, Tensor], path: Path) -> int:
    """Write a safetensors file; returns its size in bytes."""
    own = {key: value.detach().contiguous() for key, value in tensors.items()}
    save_file(own, path, metadata={"format": "pt"})
    return path.stat().st_size


def _check_replaceable(target: Path, own: tuple[str, ...], what: str) -> None:
    if not target.is_dir() or not any(target.iterdir()):
        return
    if not (target / own[0]).is_file():
        raise LoadError(f"{what} could not be written to {target}: it is not empty and has no {own[0]}.")
    folders = sorted(path.name for path in _others(target, own) if not path.is_file())
    if folders:
        raise LoadError(f"{what} could not be written to {target}: {folders[0]} in it would be lost.")


def _others(folder: Path, own: tuple[str, ...]) -> list[Path]:
    return [path for path in folder.iterdir() if path.name not in own] if folder.is_dir() else []
