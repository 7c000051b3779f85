"""Wrong JSON on every route that takes it: a 4xx with a sentence, never a 5xx (hf_protocol section 2)."""

import pytest
from django.test import Client

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


@pytest.mark.parametrize(("method", "path"), JSON_ROUTES)
def test_json_bodies(client_of_alice: Client, method: str, path: str) -> None:
    for body in BODIES:
        response = client_of_alice.generic(method.upper(), path, body, content_type="application/json")
        allowed = range(200, 500) if (method, path) in GENEROUS else range(400, 500)
        assert response.status_code in allowed, (body[:80], response.content)
        if response.status_code >= 400 and "errors" not in response.json():
            assert response["X-Error-Message"].isascii()
            assert len(response.json()["error"]) > 10
