"""What a commit does to the files, and the files that come of it."""

from collections.abc import Callable
from dataclasses import dataclass

from hubsite.core.errors import EntryNotFound
from hubsite.registry.models import Blob
from hubsite.registry.paths import check_no_file_is_folder, check_path


@dataclass(frozen=True)
class AddFile:
    """Put `blob` at `path`, in place of what is there. `lfs`: clients move it as an LFS object."""

    path: str
    blob: Blob
    lfs: bool = False


@dataclass(frozen=True)
class DeleteFile:
    path: str


@dataclass(frozen=True)
class DeleteFolder:
    """Delete all files below `path`; a closing slash does not matter."""

    path: str


@dataclass(frozen=True)
class CopyFile:
    """Put what `source_path` is at `source_revision` (the branch's head if None) at `path`."""

    path: str
    source_path: str
    source_revision: str | None = None


Operation = AddFile | DeleteFile | DeleteFolder | CopyFile


@dataclass(frozen=True)
class File:
    """What a path of a tree holds."""

    blob_id: str
    lfs: bool


Tree = dict[str, File]
# From (path, revision) to the file there.
FindSource = Callable[[str, str | None], File]


def apply(tree: Tree, operations: list[Operation], find_source: FindSource, head_sha: str | None) -> Tree:
    """The tree after `operations`, one after the other. Raises BadInput for bad paths, EntryNotFound."""
    result = dict(tree)
    for operation in operations:
        match operation:
            case AddFile(path, blob, lfs):
                result[check_path(path)] = File(blob.sha256, lfs)
            case CopyFile(path, source_path, source_revision):
                result[check_path(path)] = find_source(source_path, source_revision)
            case DeleteFile(path):
                _delete(result, [path] if path in result else [], path, head_sha)
            case DeleteFolder(path):
                prefix = path.rstrip("/") + "/"
                _delete(result, [name for name in result if name.startswith(prefix)], path, head_sha)
    check_no_file_is_folder(result)
    return result


def _delete(tree: Tree, paths: list[str], asked: str, head_sha: str | None) -> None:
    if not paths:
        # The first half is the protocol's own wording (hf_protocol 3.6).
        raise EntryNotFound(
            f"A file with this name doesn't exist: {asked}; it cannot be deleted.", commit_sha=head_sha
        )
    for path in paths:
        del tree[path]
