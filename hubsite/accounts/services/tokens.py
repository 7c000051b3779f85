"""API tokens: issued once, kept as a hash, revoked for good."""

from dataclasses import dataclass
from datetime import datetime

from hubsite.accounts.models import Scope, Token, User
from hubsite.accounts.secrets import digest, hint, new_secret
from hubsite.core.clock import now
from hubsite.core.errors import BadInput, NotFound

_NAME_LENGTH = 80


@dataclass(frozen=True)
class IssuedToken:
    """The row and its secret, which can be read here and never again."""

    token: Token
    secret: str


def issue_token(user: User, *, name: str, scope: Scope, expires_at: datetime | None = None) -> IssuedToken:
    """A new token of `user`. Raises BadInput for an empty or long name or an expiry in the past."""
    name = name.strip()
    if not name or len(name) > _NAME_LENGTH or not name.isprintable():
        raise BadInput(
            f"A token needs a name of 1 to {_NAME_LENGTH} plain characters, to tell it from others later."
        )
    if expires_at is not None and expires_at <= now():
        raise BadInput("The token would have expired already; choose a later date.")
    secret = new_secret()
    token = Token.objects.create(
        user=user,
        name=name,
        digest=digest(secret),
        hint=hint(secret),
        scope=Scope(scope),
        expires_at=expires_at,
    )
    return IssuedToken(token, secret)


def revoke_token(user: User, token_id: int) -> None:
    """Make the user's token useless from now on; revoking it again changes nothing. Raises NotFound."""
    token = Token.objects.filter(user=user, pk=token_id).first()
    if token is None:
        raise NotFound("You have no such token.")
    Token.objects.filter(pk=token.pk, revoked_at=None).update(revoked_at=now())
