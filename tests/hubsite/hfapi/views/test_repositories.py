"""Creating repositories and their settings over HTTP (hf_protocol 3.2)."""

from django.test import Client

from hubsite.accounts.models import User
from tests.hubsite.hfapi.conftest import Bearer


def test_gates_are_refused_and_unknown_settings_ignored(client_of_alice: Client) -> None:
    url = "/api/models/alice/repo/settings"
    assert client_of_alice.put(url, {"gated": "auto"}, content_type="application/json").status_code == 400
    body = {"gated": False, "xetEnabled": True, "visibility": "private"}
    assert client_of_alice.put(url, body, content_type="application/json").json()["private"] is True


def test_urls_have_the_host_that_was_asked(bearer: Bearer, alice: User) -> None:
    response = bearer(alice).post(
        "/api/repos/create",
        {"name": "x"},
        content_type="application/json",
        headers={"Host": "127.0.0.1:4321"},
    )
    assert response.json()["url"] == "http://127.0.0.1:4321/alice/x"
