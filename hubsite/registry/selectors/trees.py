"""Files and folders of a commit."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import QuerySet

from adapter_lib.spec.strict_json import is_clean
from hubsite.core.errors import EntryNotFound
from hubsite.registry.models import Commit, TreeEntry


@dataclass(frozen=True)
class FileItem:
    """A file; `path` from the root. `oid` is git's name of what git would store (hf_protocol 3.4)."""

    path: str
    size: int
    sha256: str
    git_sha1: str
    lfs: bool
    oid: str
    # Bytes of the LFS pointer; None for a regular file.
    pointer_size: int | None

    @property
    def etag(self) -> str:
        """Unquoted: what clients keep the file under (hf_protocol 3.5)."""
        return self.sha256 if self.lfs else self.git_sha1


@dataclass(frozen=True)
class FolderItem:
    """A folder; `oid` depends on all that is below it."""

    path: str
    oid: str


def entries(commit: Commit) -> QuerySet[TreeEntry]:
    """All files of the commit with their blobs, by path."""
    return TreeEntry.objects.filter(commit=commit).select_related("blob").order_by("path")


def entry(commit: Commit, path: str) -> TreeEntry:
    """The file at `path`, with its blob. Raises EntryNotFound."""
    found = entries(commit).filter(path=path).first() if is_clean(path) else None
    if found is None:
        raise _not_found(commit, path)
    return found


def file_item(found: TreeEntry) -> FileItem:
    """An entry as an item of a listing."""
    blob = found.blob
    pointer = _pointer(blob.sha256, blob.size) if found.lfs else None
    return FileItem(
        path=found.path,
        size=blob.size,
        sha256=blob.sha256,
        git_sha1=blob.git_sha1,
        lfs=found.lfs,
        oid=blob.git_sha1 if pointer is None else _git_sha1(pointer),
        pointer_size=None if pointer is None else len(pointer),
    )


def list_tree(commit: Commit, path: str = "", recursive: bool = False) -> list[FileItem | FolderItem]:
    """What is in the folder `path` ("" is the root), by path; with `recursive` all below it, folders too.

    Raises EntryNotFound where there is no such folder; the root is always there.
    """
    prefix = f"{path.strip('/')}/" if path.strip("/") else ""
    if not is_clean(prefix):
        raise _not_found(commit, path)
    rows = entries(commit).filter(path__startswith=prefix) if prefix else entries(commit)
    files = [file_item(row) for row in rows if row.path.startswith(prefix)]
    if prefix and not files:
        raise _not_found(commit, path)
    items: list[FileItem | FolderItem] = [*files, *_folders(files, prefix)]
    if not recursive:
        items = [item for item in items if "/" not in item.path[len(prefix) :]]
    return sorted(items, key=lambda item: item.path)


def _folders(files: Iterable[FileItem], prefix: str) -> list[FolderItem]:
    """The folders that the files below `prefix` imply."""
    contents: dict[str, list[str]] = {}
    for file in files:
        parts = file.path[len(prefix) :].split("/")
        for depth in range(1, len(parts)):
            folder = prefix + "/".join(parts[:depth])
            contents.setdefault(folder, []).append(f"{file.path[len(folder) :]}\0{file.oid}")
    return [FolderItem(path, _sha1("\n".join(lines).encode())) for path, lines in contents.items()]


def _pointer(sha256: str, size: int) -> bytes:
    """The text that git stores in place of an LFS object."""
    return f"version https://git-lfs.github.com/spec/v1\noid sha256:{sha256}\nsize {size}\n".encode()


def _git_sha1(content: bytes) -> str:
    return _sha1(b"blob %d\0" % len(content) + content)


def _sha1(content: bytes) -> str:
    return hashlib.sha1(content, usedforsecurity=False).hexdigest()


def _not_found(commit: Commit, path: str) -> EntryNotFound:
    return EntryNotFound(f"There is no {path[:200]!r} in commit {commit.sha[:12]}.", commit_sha=commit.sha)
