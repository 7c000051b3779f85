import hashlib

import pytest
from pytest_django import DjangoAssertNumQueries

from hubsite.accounts.models import User
from hubsite.core.errors import EntryNotFound
from hubsite.registry.models import Commit
from hubsite.registry.selectors.trees import FileItem, FolderItem, entry, file_item, list_tree
from tests.hubsite import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def commit(alice: User) -> Commit:
    files = {
        "README.md": b"hi\n",
        "sub/a": b"a",
        "sub/deep/b": b"b",
        "SUB/c": b"c",
        "sub-way": b"d",
        "w": b"large",
    }
    return factories.make_commit(factories.make_repo(alice), files, lfs={"w"})


def paths(items: list[FileItem | FolderItem]) -> list[str]:
    return [item.path + ("/" if isinstance(item, FolderItem) else "") for item in items]


def test_a_folder_lists_what_is_directly_in_it(commit: Commit) -> None:
    assert paths(list_tree(commit)) == ["README.md", "SUB/", "sub/", "sub-way", "w"]
    assert paths(list_tree(commit, "sub")) == ["sub/a", "sub/deep/"]
    assert paths(list_tree(commit, "sub/deep/")) == ["sub/deep/b"]
    assert paths(list_tree(commit, "SUB")) == ["SUB/c"]


def test_recursive_lists_all_and_the_folders_too(commit: Commit) -> None:
    assert paths(list_tree(commit, recursive=True)) == [
        "README.md", "SUB/", "SUB/c", "sub/", "sub-way", "sub/a", "sub/deep/", "sub/deep/b", "w",
    ]  # fmt: skip
    assert paths(list_tree(commit, "sub", recursive=True)) == ["sub/a", "sub/deep/", "sub/deep/b"]


@pytest.mark.parametrize("path", ["nothing", "README.md", "su", "sub/a", "a\0", "\ud800"])
def test_a_folder_that_is_not_there(commit: Commit, path: str) -> None:
    with pytest.raises(EntryNotFound) as caught:
        list_tree(commit, path)
    assert caught.value.commit_sha == commit.sha


def test_a_regular_file_is_known_by_gits_name(commit: Commit) -> None:
    found = file_item(entry(commit, "README.md"))
    # `printf 'hi\n' | git hash-object --stdin`
    assert found.oid == found.git_sha1 == found.etag == "45b983be36b73c0788dc9cbcb76cbb80fc7bb057"
    assert (found.size, found.lfs, found.pointer_size) == (3, False, None)


def test_an_lfs_file_is_known_by_its_hash_and_its_pointers_name(commit: Commit) -> None:
    found = file_item(entry(commit, "w"))
    sha256 = hashlib.sha256(b"large").hexdigest()
    pointer = f"version https://git-lfs.github.com/spec/v1\noid sha256:{sha256}\nsize 5\n".encode()
    assert found.etag == found.sha256 == sha256
    assert found.pointer_size == len(pointer)
    assert found.oid == hashlib.sha1(b"blob %d\0" % len(pointer) + pointer).hexdigest()  # noqa: S324


@pytest.mark.parametrize("path", ["nothing", "sub", "readme.md", "", "README.md/", "a\0"])
def test_a_file_that_is_not_there(commit: Commit, path: str) -> None:
    with pytest.raises(EntryNotFound) as caught:
        entry(commit, path)
    assert caught.value.commit_sha == commit.sha


def test_a_folders_oid_changes_with_what_is_below_it(commit: Commit) -> None:
    later = factories.make_commit(commit.repo, {"sub/deep/b": b"changed"})
    before = {item.path: item.oid for item in list_tree(commit)}
    after = {item.path: item.oid for item in list_tree(later)}
    assert {path for path in after if after[path] != before[path]} == {"sub"}


def test_a_listing_is_one_query(commit: Commit, django_assert_num_queries: DjangoAssertNumQueries) -> None:
    with django_assert_num_queries(1):
        list_tree(commit, recursive=True)
    with django_assert_num_queries(1):
        file_item(entry(commit, "w"))
