"""One vocabulary and one policy of permissions, for single objects (`allows`) and lists (`visible_repos`)."""

from enum import StrEnum
from typing import Protocol

from django.db.models import Q

from hubsite.accounts.actors import Actor
from hubsite.accounts.models import Namespace, Scope
from hubsite.core.errors import Forbidden, RepoNotFound, Unauthenticated


class Permission(StrEnum):
    """What can be allowed. The value completes the sentence "you may not …"."""

    READ_REPO = "read this repository"
    WRITE_REPO = "write to this repository"
    DELETE_REPO = "delete this repository"
    CREATE_IN_NAMESPACE = "create repositories in this namespace"


class OwnedRepo(Protocol):
    """What the policy needs to know of a repository, which lives in a higher package."""

    @property
    def private(self) -> bool: ...

    @property
    def namespace(self) -> Namespace: ...

    @property
    def full_name(self) -> str: ...


def allows(actor: Actor, permission: Permission, target: OwnedRepo | Namespace) -> bool:
    """Whether `actor` has `permission` on `target`: a namespace for CREATE_IN_NAMESPACE, else a repo."""
    namespace = target if isinstance(target, Namespace) else target.namespace
    owns = actor.user is not None and namespace.owner_id == actor.user.pk
    if permission is Permission.READ_REPO:
        return owns or (not isinstance(target, Namespace) and not target.private)
    return owns and actor.scope == Scope.WRITE


def require(actor: Actor, permission: Permission, target: OwnedRepo | Namespace) -> None:
    """Raise unless allowed: RepoNotFound if `actor` may not know of it, else Unauthenticated or Forbidden."""
    if allows(actor, permission, target):
        return
    if not isinstance(target, Namespace) and not allows(actor, Permission.READ_REPO, target):
        raise repo_not_found(target.full_name)
    if actor.is_anonymous:
        raise Unauthenticated(f"Sign in or send a token: without one you may not {permission}.")
    raise Forbidden(_forbidden(actor, permission, target))


def repo_not_found(full_name: str) -> RepoNotFound:
    """The one answer for a repository that is absent and for one that is hidden."""
    return RepoNotFound(
        f"There is no repository {full_name}, or you may not see it; check the name, and your token."
    )


def visible_repos(actor: Actor, prefix: str = "") -> Q:
    """READ_REPO as a filter on repositories; `prefix` is the way to them, e.g. `repo__`."""
    public = Q(**{f"{prefix}private": False})
    if actor.user is None:
        return public
    return public | Q(**{f"{prefix}namespace__owner": actor.user.pk})


def _forbidden(actor: Actor, permission: Permission, target: OwnedRepo | Namespace) -> str:
    name = target.name if isinstance(target, Namespace) else target.full_name
    namespace = target if isinstance(target, Namespace) else target.namespace
    if actor.user is not None and namespace.owner_id == actor.user.pk:
        return (
            f"Your token may only read, so you may not {permission} ({name}); use one with the scope `write`."
        )
    return f"You may not {permission} ({name}): it belongs to somebody else."
