"""The one way files get into a repository."""

from collections.abc import Sequence

from django.db import transaction

from adapter_lib.spec.strict_json import is_clean
from hubsite.accounts.actors import Actor
from hubsite.accounts.models import User
from hubsite.accounts.permissions import Permission, require
from hubsite.core.clock import now
from hubsite.core.errors import BadInput, RevisionNotFound, StaleParent, Unauthenticated
from hubsite.registry.models import Commit, Ref, RefKind, Repo, RepoKind, TreeEntry
from hubsite.registry.selectors import trees
from hubsite.registry.selectors.revisions import DEFAULT_BRANCH, find_commit
from hubsite.registry.services import backbones, cards, states
from hubsite.registry.services import operations as changes
from hubsite.registry.services.content import Content
from hubsite.registry.services.identity import commit_sha
from hubsite.registry.services.kinds import settle_kind
from hubsite.registry.services.locks import lock_repo
from hubsite.registry.services.operations import (
    AddFile,
    CopyFile,
    DeleteFile,
    DeleteFolder,
    File,
    Operation,
    Tree,
)
from hubsite.registry.signals import repo_changed, revision_created

__all__ = ["AddFile", "CopyFile", "DeleteFile", "DeleteFolder", "Operation", "create_commit"]

_TITLE_LENGTH = 200
_MESSAGE_LENGTH = 20_000
_PARENT_LENGTHS = range(5, 41)


def create_commit(
    actor: Actor,
    repo: Repo,
    *,
    branch: str = DEFAULT_BRANCH,
    operations: Sequence[Operation],
    title: str,
    message: str = "",
    parent: str | None = None,
) -> Commit:
    """Apply all of `operations` to the head of `branch`, or none of them, and move the branch.

    Operations that change nothing return the present head. Raises RepoNotFound, Unauthenticated, Forbidden,
    BadInput, RevisionNotFound for a missing branch, EntryNotFound for a missing path to delete or copy, and
    StaleParent where `parent` (5 to 40 hex digits) does not begin the head's sha.
    """
    require(actor, Permission.WRITE_REPO, repo)
    if actor.user is None:
        raise Unauthenticated("Sign in or send a token to commit.")
    title, message = _check_words(title, message)
    with transaction.atomic():
        locked = lock_repo(repo)
        head = _head(locked, branch, parent)
        before = _tree(head)
        tree = changes.apply(
            before, list(operations), _source(locked, head, before), head.sha if head else None
        )
        if tree == before:
            return _unchanged(head)
        commit = _write(locked, head, tree, actor.user, title, message)
        _move(locked, branch, head, commit)
        _announce(locked, commit, tree)
    repo.kind, repo.updated_at = locked.kind, locked.updated_at
    return commit


def _check_words(title: str, message: str) -> tuple[str, str]:
    title = title.strip()
    if not title:
        raise BadInput("The commit has no title; say in a few words what it changes.")
    if len(message) > _MESSAGE_LENGTH:
        raise BadInput(f"The commit message is longer than {_MESSAGE_LENGTH} characters; shorten it.")
    if not is_clean(title + message):
        raise BadInput("The commit message has characters that are no text; leave them out.")
    return title[:_TITLE_LENGTH], message


def _head(repo: Repo, branch: str, parent: str | None) -> Commit | None:
    """The head of `branch`, None for the default branch of an empty repository."""
    ref = (
        Ref.objects.filter(repo=repo, kind=RefKind.BRANCH, name=branch)
        .select_related("commit__author")
        .first()
    )
    if ref is None and (branch != DEFAULT_BRANCH or repo.commits.exists()):
        raise RevisionNotFound(f"{repo.full_name} has no branch {branch[:200]!r}; create it first.")
    head = None if ref is None else ref.commit
    if head is not None:
        head.repo = repo
    if parent is not None:
        _check_parent(head, parent.lower())
    return head


def _check_parent(head: Commit | None, parent: str) -> None:
    if len(parent) not in _PARENT_LENGTHS or not set(parent) <= set("0123456789abcdef"):
        raise BadInput(f"The parent commit {parent[:80]!r} is not 5 to 40 hexadecimal digits of a sha.")
    if head is None or not head.sha.startswith(parent):
        present = head.sha if head else "nothing yet"
        raise StaleParent(
            f"The branch has moved on: its head is {present}, not {parent}; fetch it, then commit again."
        )


def _tree(commit: Commit | None) -> Tree:
    if commit is None:
        return {}
    rows = TreeEntry.objects.filter(commit=commit).values_list("path", "blob_id", "lfs")
    return {path: File(blob_id, lfs) for path, blob_id, lfs in rows}


def _source(repo: Repo, head: Commit | None, tree: Tree) -> changes.FindSource:
    def find(path: str, revision: str | None) -> File:
        if revision is None and path in tree:
            return tree[path]
        commit = (
            head if revision is None and head is not None else find_commit(repo, revision or DEFAULT_BRANCH)
        )
        entry = trees.entry(commit, path)
        return File(entry.blob_id, entry.lfs)

    return find


def _unchanged(head: Commit | None) -> Commit:
    if head is None:
        raise BadInput("The commit has no files, and the repository is empty; add a file.")
    return head


def _write(repo: Repo, head: Commit | None, tree: Tree, author: User, title: str, message: str) -> Commit:
    time = now()
    sha = commit_sha(
        tree,
        repo_id=repo.pk,
        parent=head.sha if head else None,
        author=author.username,
        time=time,
        title=title,
        message=message,
    )
    commit = Commit.objects.create(
        repo=repo, sha=sha, parent=head, author=author, title=title, message=message, created_at=time
    )
    TreeEntry.objects.bulk_create(
        [
            TreeEntry(commit=commit, path=path, blob_id=file.blob_id, lfs=file.lfs)
            for path, file in tree.items()
        ],
        batch_size=500,
    )
    return commit


def _move(repo: Repo, branch: str, head: Commit | None, commit: Commit) -> None:
    """Point `branch` at `commit`; the repository is locked, so nobody else does."""
    if head is None:
        Ref.objects.create(repo=repo, kind=RefKind.BRANCH, name=branch, commit=commit)
    else:
        Ref.objects.filter(repo=repo, kind=RefKind.BRANCH, name=branch).update(commit=commit)


def _announce(repo: Repo, commit: Commit, tree: Tree) -> None:
    """Settle what the repository is, and send its commit on its way."""
    settle_kind(repo, tree)
    repo.save(update_fields=["kind", "updated_at"])
    content = Content(tree)
    if repo.kind == RepoKind.BACKBONE:
        backbones.describe_repo(repo, content)
    if repo.kind == RepoKind.ADAPTER:
        cards.describe(commit, content)
        revision_created.send(Commit, commit=commit)
        repo_changed.send(Repo, repo=repo)
    else:
        states.publish(commit)
