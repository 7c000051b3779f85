"""Which addresses belong to the protocol."""

import pytest
from django.test import Client

from hubsite.accounts.models import User
from tests.hubsite.factories import make_commit, make_repo


@pytest.mark.parametrize(
    "path",
    [
        "/api/models/alice/repo/revision/%00",
        "/api/models/alice/repo/tree/main/%00",
        "/api/models/alice/repo/tree/main/%ed%a0%80",
        "/api/models/alice/repo/tree/%0a/x%0a",
        "/api/models/alice/repo/commits/" + "f" * 300,
        "/api/models/al%00ice/repo",
        "/api/models/a%20b/c%0ad",
        "/alice/repo/resolve/%00/a",
        "/alice/repo/resolve/main/%00",
        "/alice/repo/resolve/main/../../etc/passwd",
        "/alice/repo/resolve/main/" + "a/" * 3000,
        "/alice/repo/resolve/" + "m" * 5000 + "/x",
        "/alice/repo/resolve/main/a.txt/",
        "/alice/repo/resolve/main//a.txt",
        "/spaces/alice/repo/resolve/main/a.txt",
    ],
)
def test_odd_addresses_are_not_found(client_of_alice: Client, path: str) -> None:
    for method in ("GET", "HEAD"):
        response = client_of_alice.generic(method, path)
        assert response.status_code == 404
        assert response["X-Error-Code"] in {"RepoNotFound", "RevisionNotFound", "EntryNotFound"}


@pytest.mark.parametrize(
    "path",
    ["/api/agent-harnesses", "/api/telemetry/x", "/api/", "/api/models/a/b/xet-write-token/main", "/api/v11",
     "/api/spaces/a/b/nothing", "/api/a\nb"],
)  # fmt: skip
def test_anything_else_under_api_is_json_at_once(client: Client, db: None, path: str) -> None:
    for method in (client.get, client.post, client.head):
        response = method(path)
        assert response.status_code == 404
        assert response["Content-Type"] == "application/json"


@pytest.mark.parametrize(
    "path", ["/alice/example", "/", "/accounts/login/", "/accounts/x/resolve/main/a", "/api/v1/nothing"]
)
def test_pages_and_our_own_api_are_not_swallowed(client: Client, alice: User, path: str) -> None:
    assert "X-Request-Id" not in client.get(path).headers


@pytest.mark.parametrize(
    "path", ["info", "revision/main", "tree/main", "refs", "commits/main", "resolve/main/x"]
)
def test_ids_without_a_namespace_are_not_found(client: Client, db: None, path: str) -> None:
    tail = "" if path == "info" else f"/{path}"
    prefix = "" if path.startswith("resolve") else "/api/models"
    response = client.get(f"{prefix}/bert-base-uncased{tail}")
    assert (response.status_code, response["X-Error-Code"]) == (401, "RepoNotFound")


@pytest.mark.parametrize("name", ["refs", "tree", "revision", "resolve", "commits"])
def test_repositories_may_be_called_like_routes(client: Client, alice: User, name: str) -> None:
    make_commit(make_repo(alice, name), {"refs": b"r", "resolve/main/x": b"x"})
    assert client.get(f"/api/models/alice/{name}").json()["id"] == f"alice/{name}"
    assert client.get(f"/api/models/alice/{name}/refs").json()["branches"]
    assert client.get(f"/api/models/alice/{name}/tree/main").status_code == 200
    assert client.head(f"/alice/{name}/resolve/main/resolve/main/x").status_code == 200
