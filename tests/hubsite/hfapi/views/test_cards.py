"""Checking a card over HTTP (hf_protocol 3.6)."""

import json
from urllib.parse import urlencode

import pytest
from django.test import Client


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
