"""Info, trees, lists and histories in detail, and what they cost in queries."""

import json
import re
from typing import Any
from urllib.parse import urlencode

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from hubsite.accounts.models import User
from tests.hubsite.factories import make_commit, make_repo, publish
from tests.hubsite.hfapi.conftest import Bearer

CARD = b"""---
license: mit
language: [en, de]
library_name: adapter_lib
pipeline_tag: text-classification
tags: [lora, "free tag"]
datasets: [own]
model-index: []
self: odd
---
# Title

A summary.
"""


def test_info_has_what_clients_read(client: Client, alice: User) -> None:
    commit = make_commit(
        make_repo(alice, "full"), {"README.md": CARD, "w.safetensors": b"w"}, lfs={"w.safetensors"}
    )
    info = client.get("/api/models/alice/full").json()
    assert info["id"] == info["modelId"] == "alice/full"
    assert info["sha"] == commit.sha
    assert info["hubState"] == "received"
    assert info["siblings"] == [{"rfilename": "README.md"}, {"rfilename": "w.safetensors"}]
    assert info["cardData"]["license"] == "mit"
    assert "self" not in info["cardData"]
    assert info["pipeline_tag"] == "text-classification"
    assert {"adapter_lib", "lora", "free tag", "en", "de", "license:mit", "dataset:own"} <= set(info["tags"])
    assert (info["private"], info["gated"], info["disabled"]) == (False, False, False)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", info["lastModified"])
    with_sizes = client.get(f"/api/models/alice/full/revision/{commit.sha[:10]}?blobs=True")
    file = with_sizes.json()["siblings"][1]
    assert (file["size"], file["lfs"]["size"], len(file["lfs"]["sha256"])) == (1, 1, 64)
    assert file["lfs"]["pointerSize"] > 100
    assert with_sizes["X-Hub-State"] == "received"
    assert set(client.get("/api/models/alice/full?expand=sha&expand=xetEnabled").json()) == {"id", "sha"}


def test_ids_are_found_in_any_case_and_answered_in_their_own(client: Client, alice: User) -> None:
    make_repo(alice, "Example")
    assert client.get("/api/models/ALICE/example").json()["id"] == "alice/Example"


def test_unreadable_front_matter_is_no_obstacle(client: Client, alice: User) -> None:
    make_commit(make_repo(alice, "odd"), {"README.md": b"---\n: [\n---\n\xff\xfe"})
    info = client.get("/api/models/alice/odd").json()
    assert "cardData" not in info
    assert "adapter_lib" in info["tags"]


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


def follow(client: Client, url: str) -> list[Any]:
    """All pages, by their Link headers."""
    found: list[Any] = []
    while url:
        response = client.get(url)
        assert response.status_code == 200
        found += response.json()
        match = re.fullmatch(r'<http://testserver(.+)>; rel="next"', response.headers.get("Link", ""))
        url = match[1] if match else ""
    return found


def test_pages_lose_and_repeat_nothing(client: Client, alice: User) -> None:
    repo = make_repo(alice, "pages")
    for number in range(3):
        make_commit(
            repo, {f"d{number}/f{index:02}.txt": b"%d" % number for index in range(40)}, title=f"c{number}"
        )
    tree = follow(client, "/api/models/alice/pages/tree/main?recursive=true&expand=true")
    assert len(tree) == 123
    assert len({item["path"] for item in tree}) == 123
    assert {item["lastCommit"]["title"] for item in tree} == {"c0", "c1", "c2"}
    short = follow(client, "/api/models/alice/pages/tree/main?recursive=true&limit=7")
    assert [item["path"] for item in short] == [item["path"] for item in tree]
    commits = follow(client, "/api/models/alice/pages/commits/main?limit=1&expand[]=formatted")
    assert [row["title"] for row in commits] == ["c2", "c1", "c0"]
    assert commits[0]["formatted"]["title"] == "c2"


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


def test_refs(client: Client, alice: User) -> None:
    commit = publish(make_commit(make_repo(alice, "refs"), {"a": b"1"}))
    assert client.get("/api/models/alice/refs/refs?include_prs=1").json() == {
        "branches": [{"name": "main", "ref": "refs/heads/main", "targetCommit": commit.sha}],
        "converts": [],
        "pullRequests": [],
        "tags": [{"name": "v1", "ref": "refs/tags/v1", "targetCommit": commit.sha}],
    }


def test_auth_check(bearer: Bearer, alice: User, bob: User) -> None:
    make_repo(alice, "checked")
    path = "/api/models/alice/checked/auth-check"
    assert bearer(bob).get(path).status_code == 200
    assert bearer(bob).get(f"{path}/write").status_code == 403
    assert bearer(alice).get(f"{path}/write").status_code == 200


@pytest.mark.parametrize(
    ("content", "status", "errors", "warnings"),
    [
        ("---\nlicense: mit\nlanguage: en\n---\nText.\n", 200, 0, 0),
        ("No front matter.", 200, 0, 1),
        ("---\nlicense: [\n---\n", 400, 1, 0),
        ("---\nlicense: mit\n", 400, 1, 0),
        ("", 200, 0, 0),
    ],
)
def test_validate_yaml(
    client: Client, db: None, content: str, status: int, errors: int, warnings: int
) -> None:
    body = json.dumps({"content": content, "repoType": "model"})
    for kind, sent in (("application/json", body), ("application/x-www-form-urlencoded", None)):
        if sent is None:
            sent = urlencode({"content": content, "repoType": "model"})
        response = client.post("/api/validate-yaml", sent, content_type=kind)
        assert response.status_code == status
        assert len(response.json()["errors"]) == errors
        assert len(response.json()["warnings"]) == warnings


@pytest.mark.parametrize("files", [3, 60])
def test_queries_do_not_grow_with_the_repository(
    bearer: Bearer, alice: User, files: int, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    repo = make_repo(alice, "cost")
    for number in range(3):
        make_commit(repo, {f"d{index}/f.txt": b"%d" % number for index in range(files)})
    for number in range(files // 10):
        make_commit(make_repo(alice, f"other-{number}"), {"README.md": CARD})
    client = bearer(alice)
    client.get("/api/whoami-v2")  # the first use of a token notes its time
    budgets = {
        "/api/models/alice/cost": 6,
        "/api/models/alice/cost?blobs=true": 6,
        "/api/models/alice/cost/tree/main?recursive=true": 4,
        "/api/models/alice/cost/tree/main?expand=true": 8,
        "/api/models/alice/cost/refs": 3,
        "/api/models/alice/cost/commits/main": 5,
        "/api/models?full=true": 7,
    }
    for path, budget in budgets.items():
        with django_assert_max_num_queries(budget, info=path):
            assert client.get(path).status_code == 200
    with django_assert_max_num_queries(4):
        assert client.head("/alice/cost/resolve/main/d1/f.txt").status_code == 200
