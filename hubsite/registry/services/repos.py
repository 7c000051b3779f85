"""Repositories come and go."""

from django.db import IntegrityError, transaction
from django.db.models import ProtectedError

from adapter_lib.spec.strict_json import is_clean
from hubsite.accounts.actors import Actor
from hubsite.accounts.models import Namespace
from hubsite.accounts.names.grammar import check_id
from hubsite.accounts.permissions import Permission, require
from hubsite.core.errors import Conflict, Forbidden, RepoExists, Unauthenticated
from hubsite.registry.models import Repo, RepoKind
from hubsite.registry.signals import repo_changed


def create_repo(
    actor: Actor, *, namespace: str | None, name: str, kind: RepoKind, private: bool = False
) -> Repo:
    """A new, empty repository in `namespace`, the actor's own if None.

    Raises Unauthenticated, Forbidden, BadInput for a name outside the grammar, RepoExists.
    """
    home = _namespace_for(actor, namespace)
    require(actor, Permission.CREATE_IN_NAMESPACE, home)
    check_id(home.name, name)
    is_dataset = kind is RepoKind.DATASET
    try:
        with transaction.atomic():
            repo = Repo.objects.create(
                namespace=home,
                name=name,
                key=name.casefold(),
                kind=kind,
                is_dataset=is_dataset,
                private=private,
            )
            repo_changed.send(Repo, repo=repo)
    except IntegrityError:
        existing = Repo.objects.get(namespace=home, key=name.casefold(), is_dataset=is_dataset)
        full_name = f"{home.name}/{existing.name}"
        raise RepoExists(f"You already have a repository {full_name}.", repo_name=full_name) from None
    return repo


def delete_repo(actor: Actor, repo: Repo) -> None:
    """Delete it with all its versions. Raises Forbidden, or Conflict where others' results rest on it."""
    require(actor, Permission.DELETE_REPO, repo)
    full_name = repo.full_name
    try:
        with transaction.atomic():
            repo_changed.send(Repo, repo=repo)
            repo.delete()
    except ProtectedError:
        raise Conflict(
            f"{full_name} cannot be deleted: published results rest on it; make it private instead."
        ) from None


def set_private(actor: Actor, repo: Repo, *, private: bool) -> None:
    """Hide the repository from everyone but its owner, or show it again."""
    require(actor, Permission.WRITE_REPO, repo)
    with transaction.atomic():
        repo.private = private
        repo.save(update_fields=["private", "updated_at"])
        repo_changed.send(Repo, repo=repo)


def _namespace_for(actor: Actor, name: str | None) -> Namespace:
    if actor.user is None:
        raise Unauthenticated("Sign in or send a token to create a repository.")
    key = actor.user.username.casefold() if name is None else name.casefold()
    namespace = Namespace.objects.filter(key=key).first() if is_clean(key) else None
    if namespace is None:
        raise Forbidden(f"There is no namespace {name or key!r} in which you could create a repository.")
    return namespace
