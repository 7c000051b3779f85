"""Histories over HTTP (hf_protocol 3.4)."""

from django.test import Client

from hubsite.accounts.models import User
from tests.hubsite.factories import make_commit, make_repo
from tests.hubsite.hfapi.wire import follow


def test_the_history_of_a_revision(client: Client, alice: User) -> None:
    repo = make_repo(alice, "old")
    first, second, third = (
        make_commit(repo, {"a": b"%d" % number}, title=f"<{number}>") for number in range(3)
    )
    rows = follow(client, "/api/models/alice/old/commits/main?limit=2")
    assert [row["id"] for row in rows] == [third.sha, second.sha, first.sha]
    assert rows[0].keys() == {"id", "title", "message", "date", "authors", "hubState"}
    assert rows[0]["authors"] == [{"user": "alice"}]
    older = client.get(f"/api/models/alice/old/commits/{second.sha}?expand[]=formatted").json()
    assert [row["id"] for row in older] == [second.sha, first.sha]
    assert older[0]["formatted"] == {"title": "&lt;1&gt;", "message": ""}


def test_nothing_and_nowhere(client: Client, alice: User) -> None:
    make_repo(alice, "empty")
    assert client.get("/api/models/alice/empty/commits/main").json() == []
    assert client.get("/api/models/alice/empty/commits/other")["X-Error-Code"] == "RevisionNotFound"
