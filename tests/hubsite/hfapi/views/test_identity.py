"""Who the caller is and what they may do (hf_protocol 3.1)."""

from django.test import Client

from hubsite.accounts.models import User
from tests.hubsite.factories import make_repo
from tests.hubsite.hfapi.conftest import Bearer


def test_whoami_needs_a_token(client: Client, db: None) -> None:
    assert client.get("/api/whoami-v2").status_code == 401


def test_auth_check(bearer: Bearer, alice: User, bob: User) -> None:
    make_repo(alice, "checked")
    path = "/api/models/alice/checked/auth-check"
    assert bearer(bob).get(path).status_code == 200
    assert bearer(bob).get(f"{path}/write").status_code == 403
    assert bearer(alice).get(f"{path}/write").status_code == 200
