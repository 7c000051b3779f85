"""From the names in a URL to repositories, commits and files."""

import re
from typing import NoReturn

from hubsite.core.errors import EmptyRepo, EntryNotFound, RepoNotFound, RevisionNotFound
from hubsite.hfapi.calls import Call
from hubsite.hfapi.text import is_storable
from hubsite.registry.models import Commit, Repo
from hubsite.registry.paths import PATH_LENGTH
from hubsite.registry.selectors.repos import find_repo
from hubsite.registry.selectors.revisions import find_commit, split_revision_path
from hubsite.registry.selectors.trees import FileItem, entry, file_item

# What a name may consist of at all; the registry's own grammar is stricter (hf_protocol section 1).
_NAME = re.compile(r"\A[A-Za-z0-9._-]{1,96}\Z")
_MAX_REVISION = 200


def repo_of(call: Call, kind: str, repo_id: str) -> Repo:
    """The repository `repo_id` of a type's plural (`models`, `datasets`).

    Raises `RepoNotFound`, in the same words for absent and for invisible ones; ids without a namespace and
    spaces do not exist on this hub.
    """
    namespace, _, name = repo_id.partition("/")
    if kind == "spaces" or not _NAME.match(namespace) or not _NAME.match(name):
        raise _no_such_repo()
    return find_repo(call.actor, is_dataset=kind == "datasets", namespace=namespace, name=name)


def nameless(call: Call, kind: str, repo_id: str) -> NoReturn:
    """A view for ids without a namespace: legal to ask for, but never here. Raises `RepoNotFound`."""
    raise _no_such_repo()


def commit_of(repo: Repo, revision: str) -> Commit:
    """The commit that a branch, tag, full or shortened sha names. Raises `RevisionNotFound`."""
    if not revision or len(revision) > _MAX_REVISION or not is_storable(revision):
        raise RevisionNotFound("There is no such revision; check its spelling.")
    return find_commit(repo, revision)


def revision_and_path(repo: Repo, rest: str) -> tuple[Commit, str]:
    """Revision and path of `revision/path`, as far as the longest ref name reaches.

    Raises `RevisionNotFound`.
    """
    if len(rest) > _MAX_REVISION + PATH_LENGTH or not is_storable(rest):
        raise EntryNotFound(
            "There is no file of this name; it has characters or a length that none can have."
        )
    return split_revision_path(repo, rest)


def file_of(repo: Repo, rest: str) -> tuple[Commit, FileItem]:
    """The file that `revision/path` names. Raises `RevisionNotFound`, `EntryNotFound`.

    In an empty repository the default branch exists but no file does: uploaders look for a README.md before
    they write one, and only a missing file tells them to go on.
    """
    try:
        commit, path = revision_and_path(repo, rest)
    except EmptyRepo as error:
        raise EntryNotFound(error.message) from None
    return commit, file_item(entry(commit, path))


def _no_such_repo() -> RepoNotFound:
    return RepoNotFound("There is no such repository on this hub; its ids are namespace/name.")


def url_prefix(repo: Repo) -> str:
    """The part of a repository's URL before its id: datasets have one (hf_protocol section 1)."""
    return "datasets/" if repo.is_dataset else ""
