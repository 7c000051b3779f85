"""Branches and tags over HTTP (hf_protocol 3.4)."""

from django.test import Client

from hubsite.accounts.models import User
from tests.hubsite.factories import make_commit, make_repo, publish


def test_refs(client: Client, alice: User) -> None:
    commit = publish(make_commit(make_repo(alice, "refs"), {"a": b"1"}))
    assert client.get("/api/models/alice/refs/refs?include_prs=1").json() == {
        "branches": [{"name": "main", "ref": "refs/heads/main", "targetCommit": commit.sha}],
        "converts": [],
        "pullRequests": [],
        "tags": [{"name": "v1", "ref": "refs/tags/v1", "targetCommit": commit.sha}],
    }
