"""What tests say over HTTP, and how they read the answers."""

import json
import re
from collections.abc import Iterable
from typing import Any

from django.http import HttpResponse
from django.test import Client


def body_of(response: HttpResponse) -> bytes:
    """The whole body, streamed or not; a stream that nobody reads leaves its file open."""
    return b"".join(response.streaming_content) if response.streaming else response.content  # type: ignore[attr-defined]


def follow(client: Client, url: str) -> list[Any]:
    """The rows of all pages, by their Link headers."""
    found: list[Any] = []
    while url:
        response = client.get(url)
        assert response.status_code == 200
        found += response.json()
        match = re.fullmatch(r'<http://testserver(.+)>; rel="next"', response.headers.get("Link", ""))
        url = match[1] if match else ""
    return found


def post_commit(
    client: Client, lines: Iterable[Any], path: str = "/api/models/alice/repo/commit/main"
) -> Any:
    """A commit whose body is `lines` as JSON."""
    body = "\n".join(json.dumps(line) for line in lines)
    return client.post(path, body, content_type="application/x-ndjson")
