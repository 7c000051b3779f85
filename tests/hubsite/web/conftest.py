"""Pages need an index to search and a client to ask with."""

from pathlib import Path

import pytest
from django.test import Client
from pytest_django import Settings

from hubsite.accounts.models import User


@pytest.fixture(autouse=True)
def _own_index(settings: Settings, tmp_path: Path) -> None:
    settings.SEARCH_INDEX_DIR = tmp_path / "search"


@pytest.fixture
def as_alice(alice: User) -> Client:
    """Alice's browser."""
    client = Client()
    client.force_login(alice)
    return client


@pytest.fixture
def as_bob(bob: User) -> Client:
    """A stranger's browser."""
    client = Client()
    client.force_login(bob)
    return client
