"""Who looks at a page: the session's user, or nobody."""

from django.http import HttpRequest

from hubsite.accounts.actors import Actor
from hubsite.accounts.models import User
from hubsite.core.errors import Unauthenticated


def actor_of(request: HttpRequest) -> Actor:
    """The session's user with all rights of their own, or an anonymous actor. Pages take no tokens."""
    user = request.user
    return Actor.of_user(user) if isinstance(user, User) else Actor.anonymous()


def signed_in(request: HttpRequest) -> User:
    """The session's user; raises Unauthenticated, which leads to the sign-in page."""
    user = request.user
    if not isinstance(user, User):
        raise Unauthenticated("Sign in first.")
    return user
