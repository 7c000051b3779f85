"""The error table over HTTP: status, code, message (hf_protocol section 2)."""

import pytest
from django.test import Client

from hubsite.accounts.models import User
from hubsite.core import errors
from hubsite.hfapi.errors import TABLE, error_response, one_line, rule_for
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


def test_messages_in_headers_are_one_line_of_ascii() -> None:
    assert one_line("one\r\ntwo\tthree  – ü\x00") == "one two three ? ?"
    assert len(one_line("x" * 10_000)) == 500
