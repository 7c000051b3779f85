"""Who is asking: a user (or nobody) with the rights of their session or token."""

from dataclasses import dataclass
from typing import Self

from hubsite.accounts.models import Scope, Token, User


@dataclass(frozen=True)
class Actor:
    """`scope` bounds what the user's own rights allow; None for somebody who is not signed in."""

    user: User | None
    scope: Scope | None
    # The token that was sent, if the actor came with one.
    token: Token | None = None

    @classmethod
    def anonymous(cls) -> Self:
        """Somebody who is not signed in."""
        return cls(user=None, scope=None)

    @classmethod
    def of_user(cls, user: User) -> Self:
        """The user with all rights of their own, as in a session."""
        return cls(user=user, scope=Scope.WRITE)

    @classmethod
    def of_token(cls, token: Token) -> Self:
        """The token's user, within the token's scope."""
        return cls(user=token.user, scope=Scope(token.scope), token=token)

    @property
    def is_anonymous(self) -> bool:
        """Whether nobody is signed in."""
        return self.user is None
