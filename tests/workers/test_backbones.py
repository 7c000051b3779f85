"""Where a backbone comes from, in which order, and that a bad one harms no worker."""

import shutil
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
from pytest_django import Settings

from hubsite.accounts.models import User
from hubsite.core.errors import StorageError
from hubsite.registry.models import Backbone
from tests.hubsite import factories
from tests.workers import tiny
from tests.workers.checks.hearing import backbone_of
from workers import backbones, loaded
from workers.backbones import BackboneMissing, BackboneUnavailable
from workers.proving import prove
from workers.sandbox import Watch

WATCH = Watch(on_line=lambda line: None)


def test_the_hubs_own_copy_comes_first(
    alice: User, backbone_folder: Path, tmp_path: Path, settings: Settings
) -> None:
    settings.BACKBONE_DIR = str(tmp_path / "local")
    shutil.copytree(backbone_folder, tmp_path / "local" / "tiny" / "bert")
    backbone = tiny.publish_backbone(alice, backbone_folder)
    found = backbones.at_hand(backbone, "")
    assert found is not None
    assert found.source == "alice/bert on this hub"
    assert found.folder.parent == Path(settings.DATA_DIR, "backbones")
    assert (found.folder / "model.safetensors").read_bytes() == (
        backbone_folder / "model.safetensors"
    ).read_bytes()


def test_only_what_a_model_is_read_from_is_taken(alice: User, backbone_folder: Path) -> None:
    backbone = tiny.publish_backbone(alice, backbone_folder)
    assert backbone.repo is not None
    factories.make_commit(
        backbone.repo, {"modeling_evil.py": b"boom", "onnx/model.onnx": b"1", "a.bin": b"2"}
    )
    found = backbones.at_hand(backbone, "")
    assert found is not None
    names = {path.name for path in found.folder.rglob("*") if path.is_file()}
    assert {"config.json", "model.safetensors", "tokenizer.json"} <= names
    assert not names & {"modeling_evil.py", "model.onnx", "a.bin"}


def test_an_adapter_gets_the_revision_it_names(alice: User, backbone_folder: Path) -> None:
    backbone = tiny.publish_backbone(alice, backbone_folder)
    assert backbone.repo is not None
    first = backbone.repo.commits.get()
    second = factories.make_commit(backbone.repo, {"README.md": b"new"})
    for revision, commit in ((first.sha, first), ("", second), ("an-upstream-revision", second)):
        found = backbones.at_hand(backbone, revision)
        assert found is not None
        assert found.revision == commit.sha


def test_changed_bytes_in_the_store_are_noticed(
    alice: User, backbone_folder: Path, settings: Settings
) -> None:
    backbone = tiny.publish_backbone(alice, backbone_folder)
    assert backbone.repo is not None
    entry = backbone.repo.commits.get().entries.get(path="config.json")
    stored = next(Path(settings.BLOB_DIR).rglob(entry.blob_id))
    stored.chmod(0o600)
    stored.write_bytes(b"{}")
    with pytest.raises(StorageError, match=r"config\.json"):
        backbones.at_hand(backbone, "")
    assert not list(Path(settings.DATA_DIR, "backbones").iterdir())


@pytest.mark.django_db
def test_a_local_folder_comes_second_and_is_known_by_its_state(
    backbone_folder: Path, tmp_path: Path, settings: Settings
) -> None:
    settings.BACKBONE_DIR = str(tmp_path)
    shutil.copytree(backbone_folder, tmp_path / "tiny" / "bert")
    backbone = Backbone.objects.create(name=tiny.BACKBONE)
    first = backbones.at_hand(backbone, "")
    (tmp_path / "tiny" / "bert" / "config.json").write_text("{}")
    second = backbones.at_hand(backbone, "")
    assert first is not None
    assert second is not None
    assert first.revision != second.revision


@pytest.mark.django_db
def test_a_name_leads_nowhere_outside_the_folder(tmp_path: Path, settings: Settings) -> None:
    settings.BACKBONE_DIR = str(tmp_path / "inside")
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "config.json").write_text("{}")
    assert backbones.at_hand(Backbone.objects.create(name="../outside"), "") is None


class _Upstream(BaseHTTPRequestHandler):
    """An upstream hub that knows no model, or that is broken."""

    status = 404

    def do_GET(self) -> None:
        self.send_response(self.status)
        if self.status == 404:
            self.send_header("X-Error-Code", "RepoNotFound")
        self.send_header("Content-Length", "0")
        self.end_headers()

    do_HEAD = do_GET  # noqa: N815 - http.server's own names

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@pytest.fixture
def upstream(monkeypatch: pytest.MonkeyPatch) -> Iterator[ThreadingHTTPServer]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Upstream,), {}))
    Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setenv("HF_ENDPOINT", f"http://127.0.0.1:{server.server_port}")
    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    yield server
    server.shutdown()
    server.server_close()


@pytest.mark.django_db
def test_upstream_is_asked_last_and_may_not_know(upstream: ThreadingHTTPServer, tmp_path: Path) -> None:
    with pytest.raises(BackboneMissing):
        backbones.from_upstream(Backbone(name="nobody/knows"), "", tmp_path, WATCH)


@pytest.mark.django_db
def test_an_upstream_that_is_broken_is_not_the_authors_fault(
    upstream: ThreadingHTTPServer, tmp_path: Path
) -> None:
    upstream.RequestHandlerClass.status = 403  # type: ignore[attr-defined]
    with pytest.raises(BackboneUnavailable, match="did not answer"):
        backbones.from_upstream(Backbone(name="some/model"), "", tmp_path, WATCH)


def test_a_sound_backbone_is_proven_once(backbone_folder: Path, tmp_path: Path) -> None:
    shutil.copytree(backbone_folder, tmp_path / "b")
    (tmp_path / "work").mkdir()
    assert prove(backbone_of(tmp_path / "b"), tmp_path / "work", WATCH)
    assert (tmp_path / "b.proven").exists()
    (tmp_path / "b" / "config.json").unlink()
    assert prove(backbone_of(tmp_path / "b"), tmp_path / "work", WATCH)


def test_a_monstrous_backbone_ends_a_child_and_not_the_worker(
    backbone_folder: Path, tmp_path: Path, settings: Settings
) -> None:
    """A config that asks for a model of terabytes."""
    settings.VALIDATION_MEMORY = 512 * 1024**2
    shutil.copytree(backbone_folder, tmp_path / "b")
    text = (tmp_path / "b" / "config.json").read_text()
    (tmp_path / "b" / "config.json").write_text(text.replace('"vocab_size": 12', '"vocab_size": 9000000000'))
    (tmp_path / "work").mkdir()
    with pytest.raises(BackboneUnavailable, match="do not load"):
        prove(backbone_of(tmp_path / "b"), tmp_path / "work", WATCH)
    assert not (tmp_path / "b.proven").exists()


def test_a_stopping_worker_proves_nothing(backbone_folder: Path, tmp_path: Path) -> None:
    shutil.copytree(backbone_folder, tmp_path / "b")
    (tmp_path / "work").mkdir()
    watch = Watch(on_line=lambda line: None, stopping=lambda: True)
    assert not prove(backbone_of(tmp_path / "b"), tmp_path / "work", watch)


def test_the_last_used_backbones_stay_in_memory(backbone_folder: Path, tmp_path: Path) -> None:
    loaded.forget()
    files = []
    for name in "abc":
        shutil.copytree(backbone_folder, tmp_path / name)
        files.append(backbone_of(tmp_path / name))
    first = loaded.resident(files[0], "cpu")
    loaded.resident(files[1], "cpu")
    assert loaded.resident(files[0], "cpu") is first
    loaded.resident(files[2], "cpu")
    assert [loaded.is_resident(one, "cpu") for one in files] == [True, False, True]
    loaded.forget()


def test_code_and_pickles_in_a_backbone_are_never_run(backbone_folder: Path, tmp_path: Path) -> None:
    folder = tmp_path / "b"
    shutil.copytree(backbone_folder, folder)
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")
    with pytest.raises(OSError, match="safetensors"):
        loaded.load(folder, "cpu")
