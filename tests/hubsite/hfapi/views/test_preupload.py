"""What an uploader is told to do with each file (hf_protocol 3.6)."""

import hashlib
from typing import Any

import pytest

from hubsite.accounts.models import User
from hubsite.registry.models import Repo
from tests.hubsite.factories import make_commit, make_repo
from tests.hubsite.hfapi.conftest import Bearer

OLD_CLIENT = "unknown/None; hf_hub/1.19.0; python/3.11.7; torch/2.8.0"
CONTENT = b"weights" * 1000
OID = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture
def repo(alice: User) -> Repo:
    return make_repo(alice, "large")


def test_preupload_knows_equal_files(bearer: Bearer, alice: User, repo: Repo) -> None:
    make_commit(repo, {"w.safetensors": CONTENT}, lfs={"w.safetensors"})
    body = {"files": [{"path": "w.safetensors", "sample": "", "size": len(CONTENT)}]}
    git = hashlib.sha1(b"blob 7000\0" + CONTENT).hexdigest()  # noqa: S324 - git's own name
    for agent, oid in ((OLD_CLIENT, OID), ("x/1; hf_hub/2.4.0", git)):
        response = bearer(alice).post(
            "/api/models/alice/large/preupload/main",
            body,
            content_type="application/json",
            headers={"User-Agent": agent},
        )
        assert response.json()["files"][0]["oid"] == oid


def test_preupload_applies_gitignore(bearer: Bearer, alice: User, repo: Repo) -> None:
    make_commit(repo, {".gitignore": b"*.log\n"})
    body: dict[str, Any] = {"files": [{"path": name, "sample": "", "size": 1} for name in ("a.log", "b.tmp")]}

    def ignored() -> list[bool]:
        answer = bearer(alice).post(
            "/api/models/alice/large/preupload/main", body, content_type="application/json"
        )
        return [file["shouldIgnore"] for file in answer.json()["files"]]

    assert ignored() == [True, False]
    body["gitIgnore"] = "*.tmp"
    assert ignored() == [False, True]
