"""The installed huggingface_hub against the hub, over a real socket."""

import hashlib
import logging
import os
from pathlib import Path

import pytest
from huggingface_hub import (
    CommitOperationAdd,
    CommitOperationCopy,
    CommitOperationDelete,
    HfFileSystem,
    constants,
)
from huggingface_hub.errors import (
    EntryNotFoundError,
    HfHubHTTPError,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)
from pytest_django import Settings

from hubsite.accounts.models import User
from hubsite.hfapi.models import LfsUpload
from hubsite.registry.models import Commit, Repo
from tests.hubsite.factories import make_commit, make_repo, make_token, publish
from tests.hubsite.hfapi.conftest import ApiFor

CARD = b"---\nlicense: apache-2.0\nlanguage: en\ntags: [adapter_lib, lora]\n---\nA small adapter.\n"


def test_whoami_names_the_user_and_the_token(api_for: ApiFor, alice: User) -> None:
    answer = api_for(alice).whoami()
    assert answer["name"] == "alice"
    assert answer["type"] == "user"
    assert answer["auth"]["accessToken"] == {"displayName": "tests", "role": "write"}


def test_a_wrong_token_is_called_invalid(api_for: ApiFor, alice: User) -> None:
    api = api_for(alice)
    api.token = "ahub_wrong"
    with pytest.raises(HfHubHTTPError, match="Invalid user token"):
        api.whoami()


def test_create_repo_answers_with_the_clients_own_host(api_for: ApiFor, alice: User) -> None:
    api = api_for(alice)
    url = api.create_repo("alice/first")
    assert str(url) == f"{api.endpoint}/alice/first"
    assert api.create_repo("alice/first", exist_ok=True) == url
    with pytest.raises(HfHubHTTPError, match="409"):
        api.create_repo("alice/first")
    assert api.create_repo("own", private=True).repo_id == "alice/own"
    assert Repo.objects.get(name="own").private


def test_files_come_back_as_they_were_sent(api_for: ApiFor, alice: User, tmp_path: Path) -> None:
    api = api_for(alice)
    api.create_repo("alice/files")
    large = os.urandom(15 * 1024 * 1024)
    api.upload_file(path_or_fileobj=b"hello", path_in_repo="deep/down/hello.txt", repo_id="alice/files")
    done = api.upload_file(path_or_fileobj=large, path_in_repo="model.bin", repo_id="alice/files")
    assert done.commit_url == f"{api.endpoint}/alice/files/commit/{done.oid}"
    path = Path(api.hf_hub_download("alice/files", "model.bin"))
    assert path.read_bytes() == large
    assert path.resolve().name == hashlib.sha256(large).hexdigest()
    assert Path(api.hf_hub_download("alice/files", "model.bin")) == path
    folder = Path(api.snapshot_download("alice/files"))
    assert (folder / "deep/down/hello.txt").read_bytes() == b"hello"
    assert folder.name == done.oid


def test_upload_folder_then_look_at_it(api_for: ApiFor, alice: User, tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    (folder / "sub").mkdir(parents=True)
    (folder / "README.md").write_bytes(CARD)
    (folder / "sub" / "data.txt").write_text("data")
    (folder / "empty.bin").touch()
    (folder / "weights.safetensors").write_bytes(b"w" * 1000)
    api = api_for(alice)
    api.create_repo("alice/folder")
    done = api.upload_folder(folder_path=folder, repo_id="alice/folder", commit_message="All at once")
    assert sorted(api.list_repo_files("alice/folder")) == [
        "README.md",
        "empty.bin",
        "sub/data.txt",
        "weights.safetensors",
    ]
    info = api.model_info("alice/folder", files_metadata=True)
    assert info.sha == done.oid
    sizes = {file.rfilename: (file.size, file.lfs and file.lfs.sha256) for file in info.siblings or []}
    assert sizes["weights.safetensors"] == (1000, hashlib.sha256(b"w" * 1000).hexdigest())
    assert sizes["empty.bin"] == (0, None)
    assert info.card_data is not None
    assert info.card_data.license == "apache-2.0"
    assert {"lora", "license:apache-2.0", "en", "adapter_lib"} <= set(info.tags or [])
    assert api.list_repo_commits("alice/folder")[0].title == "All at once"
    assert api.list_repo_refs("alice/folder").branches[0].target_commit == done.oid


def test_an_unchanged_upload_makes_no_commit(api_for: ApiFor, alice: User) -> None:
    api = api_for(alice)
    api.create_repo("alice/same")
    first = api.upload_file(path_or_fileobj=b"x" * 5000, path_in_repo="a.safetensors", repo_id="alice/same")
    again = api.upload_file(path_or_fileobj=b"x" * 5000, path_in_repo="a.safetensors", repo_id="alice/same")
    assert again.oid == first.oid
    assert Commit.objects.count() == 1


def test_missing_things_have_their_own_errors(api_for: ApiFor, alice: User) -> None:
    make_commit(make_repo(alice, "here"), {"a.txt": b"a"})
    api = api_for(alice)
    with pytest.raises(RepositoryNotFoundError):
        api.model_info("alice/absent")
    with pytest.raises(RepositoryNotFoundError):
        api.hf_hub_download("bert-base-uncased", "config.json")
    with pytest.raises(RevisionNotFoundError):
        api.model_info("alice/here", revision="nowhere")
    with pytest.raises(RevisionNotFoundError):
        api.hf_hub_download("alice/here", "a.txt", revision="nowhere")
    with pytest.raises(EntryNotFoundError):
        api.hf_hub_download("alice/here", "b.txt")
    with pytest.raises(EntryNotFoundError):
        api.delete_file("b.txt", "alice/here")
    assert api.file_exists("alice/here", "a.txt")
    assert not api.file_exists("alice/here", "b.txt")
    assert not api.repo_exists("alice/absent")
    assert not api.revision_exists("alice/here", "nowhere")


def test_operations_of_one_commit(api_for: ApiFor, alice: User) -> None:
    repo = make_repo(alice, "ops")
    head = make_commit(repo, {"a.txt": b"a", "b/c.txt": b"c", "b/d.txt": b"d", "w.bin": b"w"}, lfs={"w.bin"})
    api = api_for(alice)
    done = api.create_commit(
        "alice/ops",
        [
            CommitOperationAdd("new.txt", b"new"),
            CommitOperationDelete("b/", is_folder=True),
            CommitOperationCopy("a.txt", "copy.txt"),
            CommitOperationCopy("w.bin", "w2.bin"),
        ],
        commit_message="Four at once",
        parent_commit=head.sha,
    )
    assert sorted(api.list_repo_files("alice/ops")) == ["a.txt", "copy.txt", "new.txt", "w.bin", "w2.bin"]
    api.delete_file("a.txt", "alice/ops")
    with pytest.raises(HfHubHTTPError, match="412"):
        api.create_commit(
            "alice/ops", [CommitOperationAdd("x", b"x")], commit_message="late", parent_commit=done.oid
        )


def test_datasets_have_their_own_names(api_for: ApiFor, alice: User) -> None:
    api = api_for(alice)
    make_repo(alice, "twice")
    url = api.create_repo("alice/twice", repo_type="dataset")
    assert str(url) == f"{api.endpoint}/datasets/alice/twice"
    api.upload_file(
        path_or_fileobj=b"{}\n", path_in_repo="test.jsonl", repo_id="alice/twice", repo_type="dataset"
    )
    path = api.hf_hub_download("alice/twice", "test.jsonl", repo_type="dataset")
    assert Path(path).read_bytes() == b"{}\n"
    assert api.dataset_info("alice/twice").id == "alice/twice"
    assert [row.id for row in api.list_datasets()] == ["alice/twice"]
    assert api.list_repo_files("alice/twice") == []


def test_a_private_repository_is_absent_for_strangers(api_for: ApiFor, alice: User, bob: User) -> None:
    make_commit(make_repo(alice, "secret", private=True), {"a.txt": b"a"})
    for stranger in (api_for(bob), api_for(None)):
        with pytest.raises(RepositoryNotFoundError):
            stranger.model_info("alice/secret")
        with pytest.raises(RepositoryNotFoundError):
            stranger.hf_hub_download("alice/secret", "a.txt")
        with pytest.raises(RepositoryNotFoundError):
            stranger.upload_file(path_or_fileobj=b"", path_in_repo="b", repo_id="alice/secret")
        assert list(stranger.list_models()) == []
    owner = api_for(alice)
    assert [row.id for row in owner.list_models()] == ["alice/secret"]
    owner.update_repo_settings("alice/secret", private=False)
    assert api_for(bob).model_info("alice/secret").private is False


def test_a_stranger_and_a_read_token_cannot_write(api_for: ApiFor, alice: User, bob: User) -> None:
    make_commit(make_repo(alice, "open"), {"a.txt": b"a"})
    with pytest.raises(HfHubHTTPError, match=r"403.*somebody else"):
        api_for(bob).upload_file(path_or_fileobj=b"", path_in_repo="b", repo_id="alice/open")
    reader = api_for(alice)
    reader.token = make_token(alice, "read")
    with pytest.raises(HfHubHTTPError, match=r"403.*only read"):
        reader.delete_repo("alice/open")


def test_lists_have_filters_order_and_pages(api_for: ApiFor, alice: User, bob: User) -> None:
    for number in range(5):
        publish(make_commit(make_repo(alice, f"model-{number}"), {"a.txt": b"%d" % number}))
    publish(make_commit(make_repo(bob, "other"), {"README.md": CARD}))
    make_commit(make_repo(bob, "unfinished"), {"a.txt": b""})
    api = api_for(None)
    assert [row.id for row in api.list_models(author="alice", sort="created_at")] == [
        f"alice/model-{number}" for number in (4, 3, 2, 1, 0)
    ]
    assert [row.id for row in api.list_models(search="OTHER")] == ["bob/other"]
    assert [row.id for row in api.list_models(filter="license:apache-2.0")] == ["bob/other"]
    assert len(list(api.list_models(filter="adapters"))) == 6
    assert len(list(api.list_models(limit=3))) == 3
    full = next(iter(api.list_models(search="other", full=True)))
    assert [file.rfilename for file in full.siblings or []] == ["README.md"]
    assert {row.id for row in api_for(bob).list_models(author="bob")} == {"bob/other", "bob/unfinished"}


def test_delete_repo(api_for: ApiFor, alice: User) -> None:
    api = api_for(alice)
    make_commit(make_repo(alice, "gone"), {"a.txt": b"a"})
    api.delete_repo("alice/gone")
    assert not api.repo_exists("alice/gone")
    api.delete_repo("alice/gone", missing_ok=True)


def test_the_file_system_reads_ranges(api_for: ApiFor, alice: User) -> None:
    content = os.urandom(300_000)
    make_commit(make_repo(alice, "ranges"), {"sub/w.bin": content}, lfs={"sub/w.bin"})
    api = api_for(alice)
    files = HfFileSystem(endpoint=api.endpoint, token=api.token, skip_instance_cache=True)
    with files.open("alice/ranges/sub/w.bin", "rb", block_size=4096) as file:
        file.seek(200_000)
        assert file.read(1000) == content[200_000:201_000]
    assert files.ls("alice/ranges/sub", detail=False) == ["alice/ranges/sub/w.bin"]
    assert files.info("alice/ranges/sub")["type"] == "directory"


def test_paths_info_and_last_commits(api_for: ApiFor, alice: User) -> None:
    repo = make_repo(alice, "paths")
    first = make_commit(repo, {"a.txt": b"a", "sub/b.txt": b"b"}, title="first")
    second = make_commit(repo, {"sub/b.txt": b"changed"}, title="second")
    api = api_for(alice)
    found = {
        item.path: item for item in api.get_paths_info("alice/paths", ["a.txt", "sub", "no"], expand=True)
    }
    assert set(found) == {"a.txt", "sub"}
    assert found["a.txt"].last_commit is not None
    assert found["a.txt"].last_commit.oid == first.sha
    assert found["sub"].last_commit is not None
    assert found["sub"].last_commit.oid == second.sha
    tree = {item.path: item for item in api.list_repo_tree("alice/paths", recursive=True, expand=True)}
    assert tree["sub/b.txt"].last_commit.title == "second"


# huggingface_hub 2.4 itself passes bytes to its HTTP library in the old way.
@pytest.mark.filterwarnings("ignore:Use 'content=:DeprecationWarning")
def test_what_no_commit_can_hold_goes_as_lfs_object(
    api_for: ApiFor,
    alice: User,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    settings.MAX_COMMIT_BODY = 1024 * 1024
    monkeypatch.setattr(constants, "HF_HUB_DISABLE_XET", True)
    monkeypatch.setattr("huggingface_hub.utils._http._WARNED_TOPICS", set())
    monkeypatch.setattr(logging.getLogger("huggingface_hub"), "propagate", True)
    repo = make_repo(alice, "full")
    content = os.urandom(2_000_000)
    api = api_for(alice)
    api.upload_file(path_or_fileobj=content, path_in_repo="a.bin", repo_id="alice/full")
    assert "a.bin: too large for a commit to this hub" in caplog.text
    assert LfsUpload.objects.get(repo=repo).blob_id == hashlib.sha256(content).hexdigest()
    assert Path(api.hf_hub_download("alice/full", "a.bin")).read_bytes() == content
