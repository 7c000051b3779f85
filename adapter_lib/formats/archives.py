"""Zip archives of adapters, unpacked with care: no path leads out, no link, no more than announced."""

import shutil
import stat
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

from adapter_lib.formats.reading import MAX_WEIGHTS
from adapter_lib.spec.errors import LoadError
from adapter_lib.spec.strict_json import quoted

MAX_FILES = 1000
# Weights hardly shrink; JSON does, by this much at most.
MAX_RATIO = 100
_SMALL = 1024**2


@contextmanager
def unpacked(path: Path) -> Iterator[Path]:
    """The folder, or for a zip archive the folder of its content, gone afterwards.

    An archive whose only member is a folder stands for that folder. Raises LoadError for an archive that is
    damaged, too large, or holds more than plain files below its own root.
    """
    if path.is_dir() or not path.is_file():
        yield path
        return
    if not zipfile.is_zipfile(path):
        raise LoadError(f"{path} is neither a folder nor a zip archive.")
    with tempfile.TemporaryDirectory(prefix="adapter-") as workshop:
        root = Path(workshop)
        _extract(path, root)
        inner = list(root.iterdir())
        yield inner[0] if len(inner) == 1 and inner[0].is_dir() else root


def _extract(path: Path, root: Path) -> None:
    try:
        with zipfile.ZipFile(path) as archive:
            entries = [entry for entry in archive.infolist() if not entry.is_dir()]
            _check_sizes(path, entries)
            for entry in entries:
                target = root / _inside(path, entry)
                target.parent.mkdir(parents=True, exist_ok=True)
                with archive.open(entry) as source, target.open("xb") as sink:
                    shutil.copyfileobj(source, sink)
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, RuntimeError, NotImplementedError) as error:
        raise LoadError(f"{path} cannot be unpacked: {error}.") from None


def _check_sizes(path: Path, entries: list[zipfile.ZipInfo]) -> None:
    """zipfile stops reading an entry at the size that is checked here."""
    total = sum(entry.file_size for entry in entries)
    if len(entries) > MAX_FILES or total > MAX_WEIGHTS:
        raise LoadError(
            f"{path} holds {len(entries)} files of {total} bytes; at most {MAX_FILES} of {MAX_WEIGHTS} are "
            "unpacked."
        )
    for entry in entries:
        if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise LoadError(f"{path}: {quoted(entry.filename)} is packed in a way that is not read here.")
        if entry.file_size > _SMALL and entry.file_size > MAX_RATIO * entry.compress_size:
            raise LoadError(
                f"{path}: {quoted(entry.filename)} would unpack to more than {MAX_RATIO} times its size."
            )


def _inside(path: Path, entry: zipfile.ZipInfo) -> Path:
    """The entry's path below the root. Raises LoadError for one that leads out of it, and for links."""
    name = PurePosixPath(entry.filename)
    is_link = stat.S_IFMT(entry.external_attr >> 16) not in (0, stat.S_IFREG)
    is_foreign = "\\" in entry.filename or ":" in entry.filename or not entry.filename.isprintable()
    if is_link or is_foreign or name.is_absolute() or ".." in name.parts:
        raise LoadError(f"{path} holds {quoted(entry.filename)}, which is no plain file inside the archive.")
    return Path(*name.parts)
