"""Files and folders as the JSON objects of `tree` and `paths-info` (hf_protocol 3.4)."""

from collections.abc import Mapping, Sequence
from typing import Any

from hubsite.hfapi.history import last_changes
from hubsite.hfapi.responses import timestamp
from hubsite.registry.models import Commit
from hubsite.registry.selectors.trees import FileItem, FolderItem

Item = FileItem | FolderItem
# A folder's last change is the newest among its files, of which this many are looked at.
_MAX_FILES_FOR_CHANGES = 5000


def item_body(item: Item, change: Commit | None = None) -> dict[str, Any]:
    """One entry; here the LFS hash is called `oid`, in `siblings` it is `sha256`."""
    body: dict[str, Any] = {"type": "directory", "path": item.path, "oid": item.oid}
    if isinstance(item, FileItem):
        body |= {"type": "file", "size": item.size}
        if item.lfs:
            body["lfs"] = {"oid": item.sha256, "size": item.size, "pointerSize": item.pointer_size}
    if change is not None:
        body["lastCommit"] = {"id": change.sha, "title": change.title, "date": timestamp(change.created_at)}
    return body


def bodies(
    items: Sequence[Item], *, commit: Commit, tree: Sequence[Item], expand: bool
) -> list[dict[str, Any]]:
    """The entries; with `expand` each with its last commit.

    `tree` holds all files below the folders in `items`.
    """
    changes = _changes(items, commit, tree) if expand else {}
    return [item_body(item, changes.get(item.path)) for item in items]


def _changes(items: Sequence[Item], commit: Commit, tree: Sequence[Item]) -> Mapping[str, Commit]:
    prefixes = tuple(f"{item.path}/" for item in items if isinstance(item, FolderItem))
    files = [item.path for item in items if isinstance(item, FileItem)]
    below = [item.path for item in tree if isinstance(item, FileItem) and item.path.startswith(prefixes)]
    wanted = list(dict.fromkeys([*files, *below]))[:_MAX_FILES_FOR_CHANGES]
    changes = last_changes(commit, wanted)
    for prefix in prefixes:
        inside = [change for path, change in changes.items() if path.startswith(prefix)]
        if inside:
            changes[prefix.removesuffix("/")] = max(inside, key=lambda change: change.created_at)
    return changes
