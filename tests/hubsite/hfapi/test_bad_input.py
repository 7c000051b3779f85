"""Bad input is a 4xx with a sentence, never a 5xx (hf_protocol section 2)."""

import base64
import json
from typing import Any

import pytest
from django.test import Client
from pytest_django import Settings

from hubsite.accounts.models import User
from tests.hubsite.factories import make_commit, make_repo
from tests.hubsite.hfapi.conftest import Bearer

_TEXTS = r"""
{
[]
null
"text"
{"name": 1}
{"name": "x", "organization": []}
{"name": "x", "type": 7}
{"name": "x", "type": "space"}
{"name": "x", "private": "yes"}
{"name": "x", "visibility": "protected"}
{"name": "\u0000"}
{"name": "\ud800"}
{"name": "..", "organization": "../.."}
{"name": "a--b"}
{"name": "a.git"}
{"name": "a/b/c"}
{"files": 1}
{"files": [1]}
{"files": [{"path": 1}]}
{"files": [{"path": "a", "size": 1e99}]}
{"files": [{"path": "a", "size": -1}]}
{"files": [{"path": "\u0000", "size": 1}]}
{"content": 5}
"""
BODIES = [
    *(line.encode() for line in _TEXTS.splitlines()),
    b"\xff\xfe\x00",
    b'{"name": "' + b"x" * 5000 + b'"}',
    b"[" * 50_000,
    b'{"size": ' + b"1" * 5000 + b"}",
]
JSON_ROUTES = [
    ("post", "/api/repos/create"),
    ("delete", "/api/repos/delete"),
    ("put", "/api/models/alice/repo/settings"),
    ("post", "/api/models/alice/repo/preupload/main"),
    ("post", "/api/models/alice/repo/commit/main"),
    ("post", "/alice/repo.git/info/lfs/objects/batch"),
    ("post", "/alice/repo.git/info/lfs/objects/verify"),
    ("post", "/api/validate-yaml"),
    ("put", "/alice/repo.git/info/lfs/objects/" + "a" * 64),
]
GENEROUS = {("put", "/api/models/alice/repo/settings"), ("post", "/api/validate-yaml")}


@pytest.fixture
def client_of_alice(bearer: Bearer, alice: User) -> Client:
    make_commit(make_repo(alice, "repo"), {"a.txt": b"a"})
    return bearer(alice)


@pytest.mark.parametrize(("method", "path"), JSON_ROUTES)
def test_json_bodies(client_of_alice: Client, method: str, path: str) -> None:
    for body in BODIES:
        response = client_of_alice.generic(method.upper(), path, body, content_type="application/json")
        allowed = range(200, 500) if (method, path) in GENEROUS else range(400, 500)
        assert response.status_code in allowed, (body[:80], response.content)
        if response.status_code >= 400 and "errors" not in response.json():
            assert response["X-Error-Message"].isascii()
            assert len(response.json()["error"]) > 10


HEADER = {"key": "header", "value": {"summary": "s", "description": "d"}}
CONTENT = base64.b64encode(b"content").decode()
LINES: list[list[Any]] = [
    [],
    [{"key": "file", "value": {"path": "a", "content": CONTENT, "encoding": "base64"}}],
    [HEADER],
    [HEADER, HEADER],
    [HEADER, {"key": "unknown", "value": {}}],
    [HEADER, {"key": "file"}],
    [HEADER, {"key": ["file"], "value": {}}],
    [HEADER, {"key": "file", "value": {"path": "b"}}],
    [HEADER, {"key": "file", "value": {"path": "b", "content": 5}}],
    [HEADER, {"key": "file", "value": {"path": "b", "content": "###", "encoding": "base64"}}],
    [HEADER, {"key": "file", "value": {"path": "b", "content": CONTENT, "encoding": "utf-8"}}],
    [HEADER, {"key": "lfsFile", "value": {"path": "b", "oid": "a" * 64, "algo": "md5"}}],
    [HEADER, {"key": "lfsFile", "value": {"path": "b", "oid": "a" * 63}}],
    [HEADER, {"key": "lfsFile", "value": {"path": "b", "oid": "a" * 64, "size": 10**40}}],
    [HEADER, {"key": "deletedFile", "value": {"path": "missing"}}],
    [HEADER, {"key": "deletedFolder", "value": {"path": "/"}}],
    [HEADER, {"key": "copyFile", "value": {"path": "b", "srcPath": "missing"}}],
    [HEADER, {"key": "copyFile", "value": {"path": "b", "srcPath": "a.txt", "srcRevision": "nowhere"}}],
    [{"key": "header", "value": {"summary": None}}],
    [{"key": "header", "value": {"summary": "s", "parentCommit": "zzzzz"}}],
    [{"key": "header", "value": {"summary": "s", "parentCommit": "abc"}}],
    [{"key": "header", "value": {"summary": "s" * 30_000}}],
]
BAD_PATHS = [
    *("", "/a", "a/", "a//b", "../a", "a/../b", "./a", ".git/config", "a\\b", "a\nb", "a\0b", "a.txt/b"),
    "x" * 513,
    "é" * 200,
]


def commit(client: Client, lines: list[Any], path: str = "/api/models/alice/repo/commit/main") -> Any:
    body = "\n".join(json.dumps(line) for line in lines)
    return client.post(path, body, content_type="application/x-ndjson")


@pytest.mark.parametrize("lines", LINES)
def test_commit_bodies(client_of_alice: Client, lines: list[Any]) -> None:
    response = commit(client_of_alice, lines)
    if lines == [HEADER]:
        # Nothing to do is no error: the head stays.
        assert response.status_code == 200
    else:
        assert 400 <= response.status_code < 500, response.content
        assert response.json()["error"]


@pytest.mark.parametrize("path", BAD_PATHS)
def test_paths_that_no_file_can_have(client_of_alice: Client, path: str) -> None:
    line = {"key": "file", "value": {"content": CONTENT, "path": path, "encoding": "base64"}}
    assert commit(client_of_alice, [HEADER, line]).status_code == 400


def test_a_missing_branch_and_pull_requests(client_of_alice: Client) -> None:
    line = {"key": "file", "value": {"content": CONTENT, "path": "b", "encoding": "base64"}}
    response = commit(client_of_alice, [HEADER, line], "/api/models/alice/repo/commit/nowhere")
    assert (response.status_code, response["X-Error-Code"]) == (404, "RevisionNotFound")
    response = commit(client_of_alice, [HEADER, line], "/api/models/alice/repo/commit/main?create_pr=1")
    assert response.status_code == 400


def test_long_summaries_are_kept_whole(client_of_alice: Client) -> None:
    header = {"key": "header", "value": {"summary": "word " * 100, "description": "more"}}
    line = {"key": "file", "value": {"content": CONTENT, "path": "b", "encoding": "base64"}}
    assert commit(client_of_alice, [header, line]).status_code == 200
    (newest, _) = client_of_alice.get("/api/models/alice/repo/commits/main").json()
    assert newest["title"].endswith("…")
    assert newest["message"] == "word " * 100 + "\n\nmore"


def test_bodies_over_the_limit_say_what_to_do(client_of_alice: Client, settings: Settings) -> None:
    settings.MAX_COMMIT_BODY = 1024 * 1024
    line = {"key": "file", "value": {"content": "A" * 1024 * 1024, "path": "b", "encoding": "base64"}}
    response = commit(client_of_alice, [HEADER, line])
    assert response.status_code == 413
    assert "larger than the 1 MB" in response.json()["error"]
    assert "HF_HUB_DISABLE_XET=1" in response.json()["error"]
    large = client_of_alice.post("/api/repos/create", b" " * 5_000_000, content_type="application/json")
    assert large.status_code == 413


def test_chunked_bodies_are_refused(client_of_alice: Client) -> None:
    response = client_of_alice.post(
        "/api/models/alice/repo/commit/main", b"", content_type="x", headers={"Transfer-Encoding": "chunked"}
    )
    assert response.status_code == 411


@pytest.mark.parametrize("length", ["-1", "abc", "1_0", "9" * 30, "٣"])
def test_lengths_that_are_no_numbers(client_of_alice: Client, length: str) -> None:
    response = client_of_alice.post(
        "/api/repos/create", b"{}", content_type="application/json", CONTENT_LENGTH=length
    )
    assert 400 <= response.status_code < 500


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


def test_gates_are_refused_and_unknown_settings_ignored(client_of_alice: Client) -> None:
    url = "/api/models/alice/repo/settings"
    assert client_of_alice.put(url, {"gated": "auto"}, content_type="application/json").status_code == 400
    body = {"gated": False, "xetEnabled": True, "visibility": "private"}
    assert client_of_alice.put(url, body, content_type="application/json").json()["private"] is True
