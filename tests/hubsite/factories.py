"""Things that tests need, made through the real services. Named cast: alice owns, bob is a stranger."""

import io
from collections.abc import Mapping

from hubsite.accounts.actors import Actor
from hubsite.accounts.models import Scope, User
from hubsite.accounts.services.tokens import issue_token
from hubsite.accounts.services.users import create_user
from hubsite.registry.models import Blob, Commit, Repo, RepoKind
from hubsite.registry.services import blobs, commits, repos, states

PASSWORD = "correct horse battery staple"


def make_user(name: str = "alice") -> User:
    """A user with the namespace `name` and PASSWORD; the same one if there is one already."""
    present = User.objects.filter(username=name).first()
    return present or create_user(name, f"{name}@example.org", PASSWORD)


def actor_of(user: User) -> Actor:
    """The user as if signed in on the pages."""
    return Actor.of_user(user)


def make_token(user: User, scope: Scope | str = Scope.WRITE) -> str:
    """The secret of a new token."""
    return issue_token(user, name="tests", scope=Scope(scope)).secret


def make_repo(
    user: User, name: str = "example", kind: RepoKind = RepoKind.ADAPTER, *, private: bool = False
) -> Repo:
    """An empty repository in the user's namespace."""
    return repos.create_repo(actor_of(user), namespace=None, name=name, kind=kind, private=private)


def make_blob(content: bytes) -> Blob:
    """Stored bytes with their row."""
    return blobs.store_blob(io.BytesIO(content), size=len(content))


def make_commit(
    repo: Repo,
    files: Mapping[str, bytes],
    *,
    lfs: frozenset[str] | set[str] = frozenset(),
    title: str = "A change",
    branch: str = "main",
) -> Commit:
    """A commit by the repository's owner that adds `files`; the paths in `lfs` as LFS objects."""
    operations = [commits.AddFile(path, make_blob(content), path in lfs) for path, content in files.items()]
    return commits.create_commit(
        actor_of(repo.namespace.owner), repo, branch=branch, operations=operations, title=title
    )


def publish(commit: Commit) -> Commit:
    """The commit as if its validation had passed."""
    return states.publish(commit)
