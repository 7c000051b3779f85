"""Secrets of API tokens: how they look and what of them is kept."""

import hashlib
import secrets

PREFIX = "ahub_"
_LENGTH = 40
_HINT_LENGTH = len(PREFIX) + 4


def new_secret() -> str:
    """`ahub_` and 40 URL-safe characters (240 random bits)."""
    return PREFIX + secrets.token_urlsafe(30)[:_LENGTH]


def digest(secret: str) -> str:
    """What is stored. A plain hash is enough for a secret of 240 random bits."""
    return hashlib.sha256(secret.encode()).hexdigest()


def hint(secret: str) -> str:
    """The first characters, by which an owner tells tokens apart."""
    return secret[:_HINT_LENGTH]
