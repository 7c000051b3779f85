"""Trees and single paths over HTTP (hf_protocol 3.4)."""

import pytest
from django.test import Client

from hubsite.accounts.models import User
from tests.hubsite.factories import make_commit, make_repo


@pytest.mark.parametrize("body", [b"", b"paths=%00", b"\xff=\xff", b"paths=" + b"a/" * 2000, b"a=b&" * 3000])
def test_odd_forms(client_of_alice: Client, body: bytes) -> None:
    response = client_of_alice.post(
        "/api/models/alice/repo/paths-info/main", body, content_type="application/x-www-form-urlencoded"
    )
    assert response.status_code in (200, 400)


def test_paths_info_takes_a_thousand_paths(client_of_alice: Client) -> None:
    for count, status in ((1000, 200), (1001, 413)):
        body = "&".join(["expand=True", "paths=a.txt", *(f"paths=x{number}" for number in range(count - 1))])
        response = client_of_alice.post(
            "/api/models/alice/repo/paths-info/main", body, content_type="application/x-www-form-urlencoded"
        )
        assert response.status_code == status
        if status == 200:
            assert [item["path"] for item in response.json()] == ["a.txt"]


def test_trees(client: Client, alice: User) -> None:
    files = {"a.txt": b"a", "sub/b.bin": b"b", "sub/deep/c.txt": b"c"}
    make_commit(make_repo(alice, "tree"), files, lfs={"sub/b.bin"})
    root = client.get("/api/models/alice/tree/tree/main").json()
    assert [(item["type"], item["path"]) for item in root] == [("file", "a.txt"), ("directory", "sub")]
    sub = client.get("/api/models/alice/tree/tree/main/sub%2Fdeep").json()
    assert [item["path"] for item in sub] == ["sub/deep/c.txt"]
    everything = client.get("/api/models/alice/tree/tree/main?recursive=True").json()
    assert [item["path"] for item in everything] == [
        "a.txt",
        "sub",
        "sub/b.bin",
        "sub/deep",
        "sub/deep/c.txt",
    ]
    assert set(everything[2]["lfs"]) == {"oid", "size", "pointerSize"}
    missing = client.get("/api/models/alice/tree/tree/main/none")
    assert (missing.status_code, missing["X-Error-Code"]) == (404, "EntryNotFound")
