"""New users and the namespaces that come with them."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import IntegrityError, transaction

from hubsite.accounts.models import Namespace, User
from hubsite.accounts.names.rules import check_new_namespace
from hubsite.accounts.names.skeleton import skeleton
from hubsite.core.errors import Conflict


def create_user(username: str, email: str = "", password: str | None = None) -> User:
    """A user who owns the namespace of the same name; without a password nobody can sign in as them.

    Raises BadInput or Conflict for a name that cannot be had.
    """
    check_new_namespace(username)
    with _taken_means_conflict(username), transaction.atomic():
        user = User.objects.create_user(username=username, email=email, password=password)
        claim_namespace(user)
    return user


def claim_namespace(user: User) -> Namespace:
    """The user's own namespace, made if it is not there. Raises what `create_user` raises."""
    present = Namespace.objects.filter(owner=user).first()
    if present is not None:
        return present
    name = user.username
    check_new_namespace(name)
    with _taken_means_conflict(name), transaction.atomic():
        return Namespace.objects.create(name=name, key=name.casefold(), skeleton=skeleton(name), owner=user)


@contextmanager
def _taken_means_conflict(name: str) -> Iterator[None]:
    """The database has the last word when two ask for one name in the same moment."""
    try:
        yield
    except IntegrityError as error:
        raise Conflict(f"The name {name!r} has just been taken; choose another.") from error
