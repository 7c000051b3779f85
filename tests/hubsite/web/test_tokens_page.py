"""Tokens are shown once, listed by their beginning, and revoked."""

import re

import pytest
from django.test import Client

from hubsite.accounts.models import Token, User
from hubsite.core.clock import now
from tests.hubsite import factories


def test_a_new_token_is_shown_once_and_works(as_alice: Client) -> None:
    form = {"name": "laptop", "scope": "read", "expires": "30"}
    html = as_alice.post("/tokens", form).content.decode()
    found = re.search(r'<code id="secret">(ahub_[\w-]{40})</code>', html)
    assert found is not None
    token = Token.objects.get()
    assert (token.name, token.scope) == ("laptop", "read")
    assert token.expires_at is not None
    assert 29 <= (token.expires_at - now()).days <= 30
    later = as_alice.get("/tokens").content.decode()
    assert found[1] not in later
    assert "laptop" in later
    assert token.hint in later


def test_a_page_with_a_secret_is_not_kept(as_alice: Client) -> None:
    response = as_alice.post("/tokens", {"name": "x", "scope": "write", "expires": ""})
    assert "no-store" in response["Cache-Control"]
    assert Token.objects.get().expires_at is None


@pytest.mark.parametrize(
    "form",
    [
        {"name": "", "scope": "read", "expires": "30"},
        {"name": "  ", "scope": "read", "expires": "30"},
        {"name": "x" * 81, "scope": "read", "expires": "30"},
        {"name": "x", "scope": "admin", "expires": "30"},
        {"name": "x", "scope": "read", "expires": "-1"},
        {"name": "x\0", "scope": "read", "expires": "30"},
        {},
    ],
)
def test_a_bad_form_is_shown_again_with_its_fault(as_alice: Client, form: dict[str, str]) -> None:
    response = as_alice.post("/tokens", form)
    assert response.status_code == 400
    assert 'class="errors"' in response.content.decode()
    assert not Token.objects.exists()


def test_revoking_is_for_the_owner(as_alice: Client, as_bob: Client, alice: User) -> None:
    factories.make_token(alice)
    token = Token.objects.get()
    assert as_bob.post(f"/tokens/{token.pk}/revoke").status_code == 404
    assert as_alice.get(f"/tokens/{token.pk}/revoke").status_code == 405
    assert as_alice.post(f"/tokens/{token.pk}/revoke").status_code == 302
    token.refresh_from_db()
    assert token.revoked_at is not None
    assert "You have none yet" in as_alice.get("/tokens").content.decode()


def test_strangers_are_led_to_the_door(client: Client, db: None) -> None:
    response = client.get("/tokens")
    assert response.status_code == 302
    assert response["Location"] == "/account/login/?next=/tokens"
