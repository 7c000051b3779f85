"""HEAD and GET of files (hf_protocol 3.5)."""

import hashlib

import pytest
from django.test import Client

from hubsite.accounts.models import User
from hubsite.registry.models import Commit
from hubsite.storage.local import LocalBlobStore
from tests.hubsite.factories import make_commit, make_repo, publish
from tests.hubsite.hfapi.wire import body_of

TEXT = b"some text\n"
WEIGHTS = bytes(range(256)) * 10


@pytest.fixture
def commit(alice: User) -> Commit:
    files = {"sub/a b.txt": TEXT, "w.safetensors": WEIGHTS, "empty": b""}
    return make_commit(make_repo(alice, "files"), files, lfs={"w.safetensors"})


def test_head_has_all_headers_whatever_the_revision(client: Client, commit: Commit) -> None:
    for revision in ("main", "refs/heads/main", commit.sha, commit.sha[:7]):
        response = client.head(f"/alice/files/resolve/{revision}/w.safetensors")
        assert response.status_code == 200
        assert response["X-Repo-Commit"] == commit.sha
        assert response["ETag"] == response["X-Linked-ETag"] == f'"{hashlib.sha256(WEIGHTS).hexdigest()}"'
        assert response["Content-Length"] == response["X-Linked-Size"] == "2560"
        assert response["Accept-Ranges"] == "bytes"
        assert response["X-Hub-State"] == "received"
        assert not [name for name in response.headers if name.lower().startswith("x-xet") or name == "Link"]
    publish(commit)
    assert client.head("/alice/files/resolve/v1/w.safetensors")["X-Hub-State"] == "published"


def test_regular_files_have_gits_name(client: Client, commit: Commit) -> None:
    response = client.head("/alice/files/resolve/main/sub/a%20b.txt")
    expected = hashlib.sha1(b"blob 10\0" + TEXT).hexdigest()  # noqa: S324 - git's own name
    assert response["ETag"] == f'"{expected}"'
    assert "X-Linked-ETag" not in response
    assert response["Content-Disposition"] == "inline; filename*=UTF-8''a%20b.txt; filename=\"a b.txt\";"


@pytest.mark.parametrize(
    ("header", "status", "start", "stop"),
    [("bytes=0-0", 206, 0, 1), ("bytes=100-", 206, 100, 2560), ("bytes=-60", 206, 2500, 2560),
     ("bytes=0-9999", 206, 0, 2560), ("bytes=0-1,5-6", 200, 0, 2560), ("lines=1", 200, 0, 2560)],
)  # fmt: skip
def test_ranges(client: Client, commit: Commit, header: str, status: int, start: int, stop: int) -> None:
    response = client.get("/alice/files/resolve/main/w.safetensors", headers={"Range": header})
    assert response.status_code == status
    assert body_of(response) == WEIGHTS[start:stop]
    assert response["Content-Length"] == str(stop - start)
    expected = f"bytes {start}-{stop - 1}/2560" if status == 206 else None
    assert response.headers.get("Content-Range") == expected


def test_a_range_past_the_end(client: Client, commit: Commit) -> None:
    response = client.get("/alice/files/resolve/main/w.safetensors", headers={"Range": "bytes=2560-"})
    assert response.status_code == 416
    assert response["Content-Range"] == "bytes */2560"


def test_if_range_and_if_none_match(client: Client, commit: Commit) -> None:
    path = "/alice/files/resolve/main/w.safetensors"
    etag = client.head(path)["ETag"]
    assert body_of(client.get(path, headers={"Range": "bytes=0-1", "If-Range": etag})) == WEIGHTS[:2]
    assert body_of(client.get(path, headers={"Range": "bytes=0-1", "If-Range": '"old"'})) == WEIGHTS
    assert client.get(path, headers={"If-None-Match": etag}).status_code == 304
    assert body_of(client.get(path, headers={"If-None-Match": '"old"'})) == WEIGHTS


def test_empty_files(client: Client, commit: Commit) -> None:
    response = client.get("/alice/files/resolve/main/empty")
    assert (response.status_code, body_of(response), response["Content-Length"]) == (200, b"", "0")


def test_missing_files_name_the_commit(client: Client, commit: Commit) -> None:
    """With the commit's sha the client remembers the absence and does not ask again."""
    response = client.head("/alice/files/resolve/main/none.txt")
    assert (response.status_code, response["X-Error-Code"]) == (404, "EntryNotFound")
    assert response["X-Repo-Commit"] == commit.sha


def test_a_whole_get_of_the_configuration_is_a_download(client: Client, alice: User) -> None:
    repo = make_repo(alice, "counted")
    make_commit(repo, {"adapter_config.json": b"{}", "b": b"b"})
    config = "/alice/counted/resolve/main/adapter_config.json"
    body_of(client.get(config))
    client.head(config)
    body_of(client.get(config, headers={"Range": "bytes=0-0"}))
    body_of(client.get("/alice/counted/resolve/main/b"))
    repo.refresh_from_db()
    assert repo.downloads == 1


def test_get_alone_is_sent_to_where_the_store_serves_bytes(
    client: Client, commit: Commit, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        LocalBlobStore, "presigned_get", lambda _self, sha, name: f"https://bytes.test/{sha}/{name}"
    )
    path = "/alice/files/resolve/main/w.safetensors"
    response = client.get(path)
    assert response.status_code == 302
    assert response["Location"] == f"https://bytes.test/{hashlib.sha256(WEIGHTS).hexdigest()}/w.safetensors"
    assert client.head(path).status_code == 200
