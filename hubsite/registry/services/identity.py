"""The sha of a commit: SHA-1, because clients know commits by 40 hex digits, over a canonical text."""

import hashlib
from datetime import datetime

from hubsite.registry.services.operations import Tree


def commit_sha(
    tree: Tree, *, repo_id: int, parent: str | None, author: str, time: datetime, title: str, message: str
) -> str:
    """40 hex digits that depend on everything a commit is, and on nothing else.

    The files enter by their SHA-256; SHA-1 only makes the name, it is no protection of the content.
    """
    lines = [f"{path}\0{file.blob_id}\0{int(file.lfs)}" for path, file in sorted(tree.items())]
    head = [f"repo {repo_id}", f"parent {parent or '-'}", f"author {author}", f"time {time.isoformat()}"]
    text = "\n".join([*head, f"title {len(title)}", title, f"message {len(message)}", message, *lines])
    return hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()
