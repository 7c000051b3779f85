import pytest

from hubsite.core.errors import BadInput, EntryNotFound
from hubsite.registry.models import Blob
from hubsite.registry.services.operations import (
    AddFile,
    CopyFile,
    DeleteFile,
    DeleteFolder,
    File,
    Operation,
    apply,
)

X, Y = File("x" * 64, False), File("y" * 64, True)
NEW = Blob(sha256="n" * 64)


def find(path: str, revision: str | None) -> File:
    return Y if (path, revision) == ("there", "v1") else X


def after(*operations: Operation) -> dict[str, File]:
    return apply({"a": X, "sub/b": Y, "sub/c": X}, list(operations), find, "head")


def test_operations_follow_each_other() -> None:
    assert after(AddFile("a", NEW, True))["a"] == File(NEW.sha256, True)
    assert set(after(DeleteFolder("sub"), AddFile("sub", NEW))) == {"a", "sub"}
    assert after(CopyFile("d", "there", "v1"))["d"] == Y
    assert after(AddFile("d", NEW), DeleteFile("d")) == after()


def test_the_tree_it_started_from_stays() -> None:
    tree = {"a": X}
    assert apply(tree, [DeleteFile("a")], find, None) == {}
    assert tree == {"a": X}


@pytest.mark.parametrize("path", ["sub", "sub/", "sub///"])
def test_a_folder_is_deleted_with_or_without_slash(path: str) -> None:
    assert set(after(DeleteFolder(path))) == {"a"}


@pytest.mark.parametrize(
    "operation", [DeleteFile("sub"), DeleteFolder("su"), DeleteFolder(""), DeleteFile("")]
)
def test_deleting_what_is_not_there(operation: Operation) -> None:
    with pytest.raises(EntryNotFound) as caught:
        after(operation)
    assert caught.value.commit_sha == "head"


@pytest.mark.parametrize("operation", [AddFile("../a", NEW), AddFile("a/b", NEW), CopyFile("sub", "there")])
def test_paths_are_held_to_the_rules(operation: Operation) -> None:
    with pytest.raises(BadInput):
        after(operation)
