"""The wrapper around every view: methods, sessions, request ids."""

from django.test import Client

from hubsite.accounts.models import User


def test_request_ids_come_back(client: Client, db: None) -> None:
    sent = "0123-abc"
    assert client.get("/api/models", headers={"X-Amzn-Trace-Id": sent})["X-Request-Id"] == sent
    assert client.get("/api/models", headers={"X-Amzn-Trace-Id": "a b"})["X-Request-Id"] != "a b"


def test_other_methods_are_named(client: Client, db: None) -> None:
    response = client.put("/api/repos/create")
    assert response.status_code == 405
    assert response.json()["error"] == "PUT is not offered here; POST is."


def test_a_session_alone_does_not_write(alice: User) -> None:
    """A browser sends its session from any page, and these routes ask for no CSRF token."""
    client = Client(enforce_csrf_checks=True)
    client.force_login(alice)
    response = client.post("/api/repos/create", {"name": "x"}, content_type="application/json")
    assert response.status_code == 401 or response.status_code == 403
    assert client.get("/api/whoami-v2").json()["name"] == "alice"
