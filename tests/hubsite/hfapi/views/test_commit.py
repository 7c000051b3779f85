"""Writing commits: what is refused, and how (hf_protocol 3.6)."""

import base64
from typing import Any

import pytest
from django.test import Client

from tests.hubsite.hfapi.wire import post_commit

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


@pytest.mark.parametrize("lines", LINES)
def test_commit_bodies(client_of_alice: Client, lines: list[Any]) -> None:
    response = post_commit(client_of_alice, lines)
    if lines == [HEADER]:
        # Nothing to do is no error: the head stays.
        assert response.status_code == 200
    else:
        assert 400 <= response.status_code < 500, response.content
        assert response.json()["error"]


@pytest.mark.parametrize("path", BAD_PATHS)
def test_paths_that_no_file_can_have(client_of_alice: Client, path: str) -> None:
    line = {"key": "file", "value": {"content": CONTENT, "path": path, "encoding": "base64"}}
    assert post_commit(client_of_alice, [HEADER, line]).status_code == 400


def test_a_missing_branch_and_pull_requests(client_of_alice: Client) -> None:
    line = {"key": "file", "value": {"content": CONTENT, "path": "b", "encoding": "base64"}}
    response = post_commit(client_of_alice, [HEADER, line], "/api/models/alice/repo/commit/nowhere")
    assert (response.status_code, response["X-Error-Code"]) == (404, "RevisionNotFound")
    response = post_commit(client_of_alice, [HEADER, line], "/api/models/alice/repo/commit/main?create_pr=1")
    assert response.status_code == 400


def test_long_summaries_are_kept_whole(client_of_alice: Client) -> None:
    header = {"key": "header", "value": {"summary": "word " * 100, "description": "more"}}
    line = {"key": "file", "value": {"content": CONTENT, "path": "b", "encoding": "base64"}}
    assert post_commit(client_of_alice, [header, line]).status_code == 200
    (newest, _) = client_of_alice.get("/api/models/alice/repo/commits/main").json()
    assert newest["title"].endswith("…")
    assert newest["message"] == "word " * 100 + "\n\nmore"
