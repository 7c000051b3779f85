"""From blobs to folders: the files of a commit where transformers and the checks can read them."""

import hashlib
import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

from hubsite.core.errors import BlobMissing
from hubsite.registry.models import Commit, TreeEntry
from hubsite.registry.selectors.trees import entries
from hubsite.storage.current import blob_store


def copy_files(commit: Commit, folder: Path) -> None:
    """Copies of all files of a commit: children never get at the blobs themselves.

    Raises StorageError.
    """
    for entry in entries(commit):
        target = folder / entry.path
        target.parent.mkdir(parents=True, exist_ok=True)
        blob_store().fetch_to(entry.blob_id, target)


def kept_folder(commit: Commit, root: Path, wanted: Callable[[str], bool]) -> Path:
    """The `wanted` files of a commit in `root/<sha>`, made once and verified against their hashes.

    Local blobs are linked, not copied. The folder appears whole or not at all. Raises StorageError.
    """
    folder = root / commit.sha
    if folder.is_dir():
        return folder
    root.mkdir(parents=True, exist_ok=True)
    unfinished = Path(tempfile.mkdtemp(prefix=".unfinished-", dir=root))
    try:
        for entry in entries(commit):
            if wanted(entry.path):
                _place(entry, unfinished / entry.path)
        unfinished.rename(folder)
    except OSError:
        if not folder.is_dir():  # else another worker was faster
            raise
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)
    return folder


def _place(entry: TreeEntry, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    present = blob_store().local_path(entry.blob_id)
    try:
        if present is None:
            raise FileNotFoundError(entry.blob_id)
        os.link(present, target)
    except OSError:  # elsewhere, or on another file system
        blob_store().fetch_to(entry.blob_id, target)
    with target.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
    if digest != entry.blob_id:
        raise BlobMissing(f"The stored bytes of {entry.path} are not the ones that were uploaded ({digest}).")
