"""The error table over HTTP: status, code, message (hf_protocol section 2)."""

import pytest
from django.test import Client

from hubsite.accounts.models import User
from hubsite.core import errors
from hubsite.hfapi.errors import TABLE, error_response, rule_for
from tests.hubsite.factories import make_commit, make_repo
from tests.hubsite.hfapi.conftest import Bearer


def test_every_error_of_the_core_has_a_row_of_its_own_or_of_a_base() -> None:
    """Bases stand behind their special cases, or these would never be reached."""
    kinds = [kind for kind, _ in TABLE]
    for index, kind in enumerate(kinds):
        assert not any(issubclass(later, kind) for later in kinds[index + 1 :]), kind
    known = [kind for kind in vars(errors).values() if isinstance(kind, type) and kind is not errors.HubError]
    for kind in known:
        assert any(issubclass(kind, row) for row in kinds), kind


@pytest.mark.parametrize(
    ("error", "anonymous", "status", "code"),
    [
        (errors.RepoNotFound("x"), False, 404, "RepoNotFound"),
        (errors.RepoNotFound("x"), True, 401, "RepoNotFound"),
        (errors.RevisionNotFound("x"), False, 404, "RevisionNotFound"),
        (errors.EntryNotFound("x", commit_sha="c" * 40), False, 404, "EntryNotFound"),
        (errors.InvalidToken(), True, 401, None),
        (errors.Forbidden("x"), False, 403, None),
        (errors.Forbidden("x"), True, 401, None),
        (errors.BadInput("x"), False, 400, None),
        (errors.RepoExists("x", repo_name="a/b"), False, 409, None),
        (errors.StaleParent("x"), False, 412, None),
        (errors.TooLarge("x"), False, 413, None),
        (errors.RateLimited("x", retry_after=7), False, 429, None),
        (errors.StorageFull("x"), False, 507, None),
        (errors.HubError("x"), False, 400, None),
    ],
)
def test_statuses_and_codes(error: errors.HubError, anonymous: bool, status: int, code: str | None) -> None:
    response = error_response(error, anonymous=anonymous)
    assert response.status_code == status
    assert response.headers.get("X-Error-Code") == code
    assert response["X-Error-Message"] == error.message
    assert response.headers.get("X-Repo-Commit") == getattr(error, "commit_sha", None)
    assert response.headers.get("Retry-After") == ("7" if status == 429 else None)
    assert rule_for(error).status >= 400


def test_hidden_and_absent_are_the_same_answer(bearer: Bearer, alice: User, bob: User) -> None:
    make_commit(make_repo(alice, "thing1", private=True), {"a.txt": b"a"})
    for client in (bearer(bob), bearer(None)):
        for path in (
            "/api/models/alice/{}",
            "/api/models/alice/{}/tree/main",
            "/alice/{}/resolve/main/a.txt",
        ):
            hidden, absent = client.get(path.format("thing1")), client.get(path.format("thing2"))
            assert hidden.status_code == absent.status_code
            assert hidden.content.replace(b"thing1", b"thing2") == absent.content
            kept = [{k: v.replace("thing1", "thing2") for k, v in r.items()} for r in (hidden, absent)]
            for headers in kept:
                headers.pop("X-Request-Id")
            assert kept[0] == kept[1]


def test_wrong_tokens_have_the_protocols_words(client: Client, db: None) -> None:
    response = client.get("/api/models", headers={"Authorization": "Bearer ahub_wrong"})
    assert response.status_code == 401
    assert response["X-Error-Message"] == "Invalid credentials in Authorization header"
    assert response.json() == {"error": "Invalid credentials in Authorization header"}


def test_whoami_needs_a_token(client: Client, db: None) -> None:
    assert client.get("/api/whoami-v2").status_code == 401


def test_request_ids_come_back(client: Client, db: None) -> None:
    sent = "0123-abc"
    assert client.get("/api/models", headers={"X-Amzn-Trace-Id": sent})["X-Request-Id"] == sent
    assert client.get("/api/models", headers={"X-Amzn-Trace-Id": "a b"})["X-Request-Id"] != "a b"


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
