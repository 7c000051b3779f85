"""Fixtures of all site tests: the named cast, and folders of one's own for blobs and messages."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from django.core.cache import cache
from pytest_django import Settings

from hubsite.accounts.models import User
from hubsite.core.queue import producer
from tests.hubsite import factories


@pytest.fixture(autouse=True)
def _clean_slate(settings: Settings, tmp_path: Path) -> Iterator[None]:
    """Each test has its own blobs, an empty queue, and nothing cached (rate limits, sessions)."""
    settings.BLOB_DIR = tmp_path / "blobs"
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    with producer.connection_for_write() as connection:
        connection.default_channel.queue_purge("hub")
    cache.clear()
    yield
    cache.clear()


@pytest.fixture
def alice(db: None) -> User:
    """Owns things."""
    return factories.make_user("alice")


@pytest.fixture
def bob(db: None) -> User:
    """A stranger with an account."""
    return factories.make_user("bob")
