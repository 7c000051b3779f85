"""How the tests ask the API."""

from typing import Any

from django.test import Client

ROOT = "/api/v1"


def get(path: str, *, token: str = "", status: int = 200, **parameters: Any) -> Any:
    """The JSON of an answer, which must have `status`; every error must have the one shape."""
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    response = Client().get(f"{ROOT}{path}", parameters, headers=headers)
    assert response.status_code == status, response.content
    body = response.json()
    if status >= 400:
        assert set(body) == {"error"}
        assert set(body["error"]) == {"code", "message"}
        assert body["error"]["code"] == "invalid_token" or body["error"]["message"].endswith((".", "?"))
    return body
