"""Entries of trees as the protocol writes them (hf_protocol 3.4)."""

import hashlib

from hubsite.accounts.models import User
from hubsite.hfapi.tree_items import bodies
from hubsite.registry.selectors.trees import list_tree
from tests.hubsite.factories import make_commit, make_repo


def test_files_objects_and_folders(alice: User) -> None:
    commit = make_commit(make_repo(alice), {"a.txt": b"text", "sub/w.bin": b"w"}, lfs={"sub/w.bin"})
    items = list_tree(commit, recursive=True)
    text, folder, weights = bodies(items, commit=commit, tree=items, expand=False)
    git = hashlib.sha1(b"blob 4\0text").hexdigest()  # noqa: S324 - git's own name
    assert text == {"type": "file", "path": "a.txt", "oid": git, "size": 4}
    assert folder.keys() == {"type", "path", "oid"}
    assert (folder["type"], folder["path"]) == ("directory", "sub")
    sha256 = hashlib.sha256(b"w").hexdigest()
    pointer = f"version https://git-lfs.github.com/spec/v1\noid sha256:{sha256}\nsize 1\n".encode()
    assert weights["lfs"] == {"oid": sha256, "size": 1, "pointerSize": len(pointer)}
    assert weights["oid"] == hashlib.sha1(b"blob %d\0" % len(pointer) + pointer).hexdigest()  # noqa: S324


def test_a_folder_changed_when_its_newest_file_did(alice: User) -> None:
    repo = make_repo(alice)
    make_commit(repo, {"sub/a": b"1", "sub/deep/b": b"1", "other/c": b"1"}, title="first")
    commit = make_commit(repo, {"sub/deep/b": b"2"}, title="second")
    whole = list_tree(commit, recursive=True)
    rows = bodies(list_tree(commit), commit=commit, tree=whole, expand=True)
    assert {row["path"]: row["lastCommit"]["title"] for row in rows} == {"other": "first", "sub": "second"}
    assert rows[0]["lastCommit"].keys() == {"id", "title", "date"}
