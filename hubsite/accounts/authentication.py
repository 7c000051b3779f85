"""From a request to an Actor."""

from datetime import timedelta
from typing import Any

from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.middleware.csrf import CsrfViewMiddleware

from hubsite.accounts.actors import Actor
from hubsite.accounts.models import Token, User
from hubsite.accounts.secrets import digest
from hubsite.core.clock import now
from hubsite.core.errors import Forbidden, InvalidToken

# `last_used_at` is for people; a write per request would be too dear.
_LAST_USED_STEP = timedelta(minutes=1)
_SAFE_METHODS = {"GET", "HEAD", "OPTIONS", "TRACE"}


def actor_from_request(request: HttpRequest) -> Actor:
    """The bearer token's actor, else the session's, else anonymous.

    Raises InvalidToken for a token that is unknown, expired or revoked, and Forbidden for a session's unsafe
    request without CSRF token: clients' routes are exempt from Django's own check, and cookies travel alone.
    """
    scheme, _, secret = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return _actor_of_secret(secret.strip())
    user = request.user
    if not isinstance(user, User):
        return Actor.anonymous()
    if request.method not in _SAFE_METHODS and not _came_from_our_pages(request):
        raise Forbidden(
            "The page's security token is missing or old; load the page again, or send an API token."
        )
    return Actor.of_user(user)


def _actor_of_secret(secret: str) -> Actor:
    token = Token.objects.select_related("user__namespace").filter(digest=digest(secret)).first()
    moment = now()
    if token is None or token.revoked_at is not None or not token.user.is_active:
        raise InvalidToken
    if token.expires_at is not None and token.expires_at <= moment:
        raise InvalidToken
    if token.last_used_at is None or moment - token.last_used_at > _LAST_USED_STEP:
        stale = Q(last_used_at=None) | Q(last_used_at__lt=moment - _LAST_USED_STEP)
        Token.objects.filter(stale, pk=token.pk).update(last_used_at=moment)
    return Actor.of_token(token)


class _CsrfCheck(CsrfViewMiddleware):
    """Django's check alone: a refusal is a reason, not a page."""

    def _reject(self, request: HttpRequest, reason: str) -> Any:
        return reason


def _came_from_our_pages(request: HttpRequest) -> bool:
    check = _CsrfCheck(lambda _: HttpResponse())
    check.process_request(request)
    return check.process_view(request, lambda _: HttpResponse(), (), {}) is None
