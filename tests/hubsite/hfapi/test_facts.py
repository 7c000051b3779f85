"""What is known of a repository."""

from django.test import Client

from hubsite.accounts.models import User
from tests.hubsite.factories import make_repo


def test_an_empty_repository_has_no_files_but_a_main(client: Client, alice: User) -> None:
    make_repo(alice, "new")
    response = client.head("/alice/new/resolve/main/README.md")
    assert (response.status_code, response["X-Error-Code"]) == (404, "EntryNotFound")
    assert client.head("/alice/new/resolve/other/README.md")["X-Error-Code"] == "RevisionNotFound"
    assert client.get("/api/models/alice/new/tree/main").json() == []
    info = client.get("/api/models/alice/new").json()
    assert info["siblings"] == []
    assert "sha" not in info
