"""Accounts in our look, and the rules for names in the form."""

import pytest
from django.test import Client

from hubsite.accounts.models import Namespace, User
from tests.hubsite import factories

FORM = {"username": "carol", "email": "", "password1": factories.PASSWORD, "password2": factories.PASSWORD}


def test_signing_up_makes_a_namespace_and_signs_in(client: Client, db: None) -> None:
    response = client.post("/account/signup/", FORM)
    assert response.status_code == 302
    assert Namespace.objects.get().name == "carol"
    assert "Sign out" in client.get("/").content.decode()


@pytest.mark.parametrize("name", ["sentiment", "upload", "a b", "-x", "x" * 41, ""])
def test_names_that_cannot_be_had_are_refused_in_the_form(client: Client, db: None, name: str) -> None:
    response = client.post("/account/signup/", FORM | {"username": name})
    assert response.status_code == 200
    assert 'class="errors"' in response.content.decode()
    assert not User.objects.exists()


def test_signing_in_and_out(client: Client, alice: User) -> None:
    wrong = client.post("/account/login/", {"login": "alice", "password": "wrong"})
    assert 'class="errors"' in wrong.content.decode()
    right = client.post("/account/login/?next=/tokens", {"login": "alice", "password": factories.PASSWORD})
    assert right["Location"] == "/tokens"
    assert client.get("/account/logout/").status_code == 200
    client.post("/account/logout/")
    assert "Sign in" in client.get("/").content.decode()


@pytest.mark.parametrize("path", ["login/", "signup/", "password/reset/"])
def test_account_pages_have_our_frame(client: Client, db: None, path: str) -> None:
    html = client.get(f"/account/{path}").content.decode()
    assert 'class="site-header"' in html
    assert 'class="form"' in html


@pytest.mark.parametrize("path", ["email/", "password/change/", "logout/"])
def test_pages_of_ones_own_account_too(as_alice: Client, path: str) -> None:
    response = as_alice.get(f"/account/{path}")
    assert response.status_code == 200
    assert 'class="site-header"' in response.content.decode()
