"""Clients of the protocol: the real huggingface_hub over a socket, and raw requests without one."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.test import Client
from huggingface_hub import HfApi, close_session, constants
from pytest_django.live_server_helper import LiveServer

from hubsite.accounts.models import User
from tests.hubsite.factories import make_commit, make_repo, make_token

ApiFor = Callable[[User | None], HfApi]
Bearer = Callable[..., Client]

# A card with something in most of its fields, and a key that is none.
CARD = b"""---
license: mit
language: [en, de]
library_name: adapter_lib
pipeline_tag: text-classification
tags: [lora, "free tag"]
datasets: [own]
model-index: []
self: odd
---
# Title

A summary.
"""


@pytest.fixture
def api_for(
    transactional_db: None, live_server: LiveServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[ApiFor]:
    """`api_for(user)` is a huggingface_hub client with the user's own token, or with none."""
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hf-cache"))

    def build(user: User | None) -> HfApi:
        return HfApi(endpoint=live_server.url, token=make_token(user) if user else False)

    yield build
    # Before the server goes: its threads wait on the connections that the client keeps open.
    close_session()


@pytest.fixture
def bearer() -> Bearer:
    """`bearer(user, scope)` is Django's test client with a token of the user; `bearer(None)` sends none."""

    def build(user: User | None, scope: str = "write") -> Client:
        headers = {"Authorization": f"Bearer {make_token(user, scope)}"} if user else {}
        return Client(headers=headers, raise_request_exception=True)

    return build


@pytest.fixture
def client_of_alice(bearer: Bearer, alice: User) -> Client:
    """alice's client, and her repository `alice/repo` with the file a.txt."""
    make_commit(make_repo(alice, "repo"), {"a.txt": b"a"})
    return bearer(alice)
