"""Lists over HTTP (hf_protocol 3.3)."""

import base64

import pytest
from django.test import Client

from hubsite.accounts.models import User
from tests.hubsite.factories import make_commit, make_repo, publish
from tests.hubsite.hfapi.wire import follow


def cursor(value: bytes) -> str:
    return f"cursor={base64.urlsafe_b64encode(value).decode().rstrip('=')}"


@pytest.mark.parametrize(
    "query",
    [
        *("limit=x", "limit=-1", "limit=" + "9" * 40, "sort=name", "search=%00", "author=%00", "cursor=x"),
        *(
            "cursor=%F0%9F%98%80",
            cursor(b"null"),
            cursor(b'[1, "x"]'),
            cursor(b"[1e99, 1]"),
            cursor(b"[" * 1400),
        ),
        *(
            cursor(b"[%d, 1]" % 10**30),
            cursor(b"[%d, 1]" % 2**62),
            cursor(b"[true, 1]"),
            cursor(b"[1, 1, 1]"),
        ),
    ],
)
def test_odd_queries(client_of_alice: Client, query: str) -> None:
    response = client_of_alice.get(f"/api/models?{query}")
    assert response.status_code == 400
    assert response.json()["error"]


@pytest.mark.parametrize(
    "query",
    [
        *("limit=0", "search=%ed%a0%80", "search=%25_", "filter=a,,b", "filter=license:", "gated=True"),
        *(
            "filter=base_model:adapter:",
            "author=" + "x" * 3000,
            "full=1&config=true",
            "limit=1&cardData=True",
        ),
        *("apps=ollama&inference=warm&num_parameters=min:1", "expand=xetEnabled&expand=sha"),
        *("direction=1&sort=likes", "direction=-1&sort=downloads"),
    ],
)
def test_harmless_queries(client_of_alice: Client, query: str) -> None:
    assert client_of_alice.get(f"/api/models?{query}").status_code == 200


@pytest.mark.parametrize("sort", ["createdAt", "lastModified", "downloads", "likes", "trendingScore"])
def test_list_pages_in_every_order(client: Client, alice: User, sort: str) -> None:
    for number in range(7):
        repo = make_repo(alice, f"r{number}")
        publish(make_commit(repo, {"a": b"%d" % number}))
        repo.downloads = repo.likes = number % 3
        repo.save(update_fields=["downloads", "likes"])
    whole = [row["id"] for row in client.get(f"/api/models?sort={sort}").json()]
    assert len(whole) == 7
    assert [row["id"] for row in follow(client, f"/api/models?sort={sort}&limit=2")] == whole
    upwards = [row["id"] for row in follow(client, f"/api/models?sort={sort}&limit=3&direction=1")]
    assert upwards == whole[::-1]


def test_lists_show_what_is_published(client: Client, alice: User) -> None:
    """A newer commit that has not passed changes nothing in the list."""
    repo = make_repo(alice, "steady")
    first = publish(make_commit(repo, {"a": b"1"}))
    make_commit(repo, {"a": b"2"})
    (row,) = client.get("/api/models").json()
    assert (row["sha"], row["hubState"]) == (first.sha, "published")
