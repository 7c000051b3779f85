"""Lengths and limits of request bodies."""

import pytest
from django.test import Client
from pytest_django import Settings

from tests.hubsite.hfapi.wire import post_commit

HEADER = {"key": "header", "value": {"summary": "s", "description": "d"}}


def test_bodies_over_the_limit_say_what_to_do(client_of_alice: Client, settings: Settings) -> None:
    settings.MAX_COMMIT_BODY = 1024 * 1024
    line = {"key": "file", "value": {"content": "A" * 1024 * 1024, "path": "b", "encoding": "base64"}}
    response = post_commit(client_of_alice, [HEADER, line])
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
