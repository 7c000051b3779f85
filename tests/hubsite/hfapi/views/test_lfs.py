"""Git LFS as clients up to 1.19 speak it: batch, PUT without token, verify, commit (hf_protocol 3.6)."""

import hashlib
import json
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.test import Client
from pytest_django import Settings

from hubsite.accounts.models import User
from hubsite.registry.models import Repo
from tests.hubsite.factories import make_commit, make_repo
from tests.hubsite.hfapi.conftest import Bearer
from tests.hubsite.hfapi.wire import post_commit

OLD_CLIENT = "unknown/None; hf_hub/1.19.0; python/3.11.7; torch/2.8.0"
CONTENT = b"weights" * 1000
OID = hashlib.sha256(CONTENT).hexdigest()
BATCH = "/alice/large.git/info/lfs/objects/batch"


@pytest.fixture
def repo(alice: User) -> Repo:
    return make_repo(alice, "large")


def batch(
    client: Client, *, operation: str = "upload", oid: str = OID, size: int = len(CONTENT), **more: Any
) -> Any:
    body = {
        "operation": operation,
        "transfers": ["basic", "multipart"],
        "objects": [{"oid": oid, "size": size}],
        "hash_algo": "sha256",
        "ref": {"name": "main"},
    } | more
    response = client.post(BATCH, json.dumps(body), content_type="application/vnd.git-lfs+json")
    return response.json()["objects"][0] if response.status_code == 200 else response


def path_of(href: str) -> str:
    parts = urlsplit(href)
    return f"{parts.path}?{parts.query}"


def put(href: str, content: bytes) -> Any:
    return Client().put(path_of(href), content, content_type="")


def commit(client: Client, line: dict[str, Any]) -> Any:
    header = {"key": "header", "value": {"summary": "Weights", "description": ""}}
    return post_commit(client, [header, line], "/api/models/alice/large/commit/main")


def lfs_line(oid: str = OID, **more: Any) -> dict[str, Any]:
    return {"key": "lfsFile", "value": {"path": "w.safetensors", "algo": "sha256", "oid": oid} | more}


def test_an_old_client_from_preupload_to_download(bearer: Bearer, alice: User, repo: Repo) -> None:
    client = bearer(alice)
    asked = client.post(
        "/api/models/alice/large/preupload/main",
        {"files": [{"path": "w.safetensors", "sample": "d2Vp", "size": len(CONTENT)},
                   {"path": "README.md", "sample": "", "size": 3}]},
        content_type="application/json",
        headers={"User-Agent": OLD_CLIENT},
    )  # fmt: skip
    assert [file["uploadMode"] for file in asked.json()["files"]] == ["lfs", "regular"]
    answer = batch(client)
    assert put(answer["actions"]["upload"]["href"], CONTENT).status_code == 200
    verify = path_of(answer["actions"]["verify"]["href"])
    assert (
        client.post(verify, {"oid": OID, "size": len(CONTENT)}, content_type="application/json").status_code
        == 200
    )
    assert commit(client, lfs_line(size=len(CONTENT))).status_code == 200
    served = Client().get("/alice/large/resolve/main/w.safetensors")
    assert b"".join(served.streaming_content) == CONTENT  # type: ignore[attr-defined]
    assert served["ETag"] == f'"{OID}"'
    assert "actions" not in batch(client)


def test_an_upload_url_is_good_for_one_object(bearer: Bearer, alice: User, repo: Repo) -> None:
    href = batch(bearer(alice))["actions"]["upload"]["href"]
    assert put(href, CONTENT[:-1]).status_code == 400
    wrong = put(href, b"x" * len(CONTENT))
    assert wrong.status_code == 400
    assert "SHA-256" in wrong.json()["error"]
    assert put(href.replace(OID, "0" * 64), CONTENT).status_code in (401, 403)
    assert put(href.partition("?")[0], CONTENT).status_code in (401, 403)
    assert "actions" in batch(bearer(alice))


def test_a_hash_alone_does_not_open_private_bytes(bearer: Bearer, alice: User, bob: User, repo: Repo) -> None:
    """bob's private file has the hash OID; alice learns the hash, and must still send the bytes herself."""
    make_commit(make_repo(bob, "secret", private=True), {"w.safetensors": CONTENT}, lfs={"w.safetensors"})
    client = bearer(alice)
    refused = commit(client, lfs_line())
    assert refused.status_code == 400
    assert "upload it before the commit" in refused.json()["error"]
    href = batch(client)["actions"]["upload"]["href"]
    assert put(href, CONTENT).status_code == 200
    assert commit(client, lfs_line()).status_code == 200


def test_public_bytes_need_not_be_sent_again(bearer: Bearer, alice: User, bob: User, repo: Repo) -> None:
    make_commit(make_repo(bob, "open"), {"w.safetensors": CONTENT}, lfs={"w.safetensors"})
    assert "actions" not in batch(bearer(alice))
    assert commit(bearer(alice), lfs_line()).status_code == 200


def test_rights(bearer: Bearer, alice: User, bob: User, repo: Repo) -> None:
    assert batch(bearer(bob)).status_code == 403
    assert batch(bearer(None)).status_code == 401
    assert batch(bearer(alice, "read")).status_code == 403


def test_downloads(bearer: Bearer, alice: User, repo: Repo) -> None:
    make_commit(repo, {"w.safetensors": CONTENT}, lfs={"w.safetensors"})
    answer = batch(Client(), operation="download")
    served = Client().get(path_of(answer["actions"]["download"]["href"]))
    assert b"".join(served.streaming_content) == CONTENT  # type: ignore[attr-defined]
    assert batch(Client(), operation="download", oid="0" * 64)["error"]["code"] == 404
    named = batch(bearer(alice), operation="download")["actions"]["download"]["header"]
    assert named["Authorization"].startswith("Bearer ahub_")


def test_errors_are_per_object(bearer: Bearer, alice: User, repo: Repo, settings: Settings) -> None:
    make_commit(repo, {"w.safetensors": CONTENT}, lfs={"w.safetensors"})
    assert batch(bearer(alice), size=1)["error"]["code"] == 422
    settings.MAX_FILE_SIZE = 10
    assert batch(bearer(alice), oid="0" * 64, size=11)["error"]["code"] == 413


@pytest.mark.parametrize(
    "wrong",
    [{"operation": "fetch"}, {"objects": {}}, {"objects": [{"oid": "x", "size": 1}]}, {"hash_algo": "md5"},
     {"objects": [{"oid": OID, "size": -1}]}, {"objects": [{"oid": OID, "size": 10**30}]},
     {"transfers": ["xet"]},
     {"transfers": "basic"}, {"objects": [{"oid": OID, "size": 1}] * 257}],
)  # fmt: skip
def test_wrong_batches_are_refused(bearer: Bearer, alice: User, repo: Repo, wrong: dict[str, Any]) -> None:
    assert batch(bearer(alice), **wrong).status_code == 400


def test_verify_misses_what_has_not_come(bearer: Bearer, alice: User, repo: Repo) -> None:
    response = bearer(alice).post(
        "/alice/large.git/info/lfs/objects/verify", {"oid": OID, "size": 1}, content_type="application/json"
    )
    assert response.status_code == 404
