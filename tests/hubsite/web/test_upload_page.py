"""From a form to a run; every wrong form is a sentence, never a fault of ours."""

from collections.abc import Mapping
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import HttpResponse
from django.test import Client
from pytest_django import Settings

from hubsite.accounts.models import User
from hubsite.registry.models import Commit, Repo, TreeEntry
from hubsite.validation.models import Run
from tests.functional import gallery
from tests.functional.exhibits import ADAPTERS
from tests.hubsite import factories

FILES = {"README.md": b"# Hello", "adapter_config.json": b"{}", "adapter.safetensors": b"\0" * 64}


def _send(client: Client, files: Mapping[str, bytes], **fields: str) -> Any:
    contents = [SimpleUploadedFile(name, content) for name, content in files.items()]
    response: HttpResponse = client.post("/upload", {"name": "mine", "contents": contents} | fields)
    return response


def _refused(response: Any, status: int, sentence: str) -> None:
    assert response.status_code == status
    assert sentence in response.content.decode()


def test_it_becomes_a_version_with_a_run(as_alice: Client) -> None:
    response = _send(as_alice, gallery.files_of(ADAPTERS[0]))
    run = Run.objects.select_related("commit__repo").get()
    assert response.status_code == 302
    assert response["Location"] == f"/runs/{run.id}"
    assert run.commit.repo.full_name == "alice/mine"
    assert not run.commit.repo.private
    lfs = dict(TreeEntry.objects.filter(commit=run.commit).values_list("path", "lfs"))
    assert lfs == {"README.md": False, "adapter_config.json": False, "adapter.safetensors": True}


def test_private_stays_private(as_alice: Client, as_bob: Client) -> None:
    response = _send(as_alice, FILES, private="on")
    assert Repo.objects.get().private
    assert as_bob.get(response["Location"]).status_code == 404
    assert as_bob.get("/alice/mine").status_code == 404


def test_the_same_name_makes_a_new_version(as_alice: Client) -> None:
    first = _send(as_alice, FILES)["Location"]
    second = _send(as_alice, FILES | {"README.md": b"# Other"})["Location"]
    assert first != second
    assert Repo.objects.count() == 1
    assert Commit.objects.count() == 2
    again = _send(as_alice, FILES | {"README.md": b"# Other"})["Location"]
    assert again == second


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("", "This field is required"),
        ("two words", "not a repository name"),
        ("../../etc", "not a repository name"),
        ("a" * 97, "at most 96 characters"),
        ("\0", "Null characters are not allowed"),
    ],
)
def test_bad_names(as_alice: Client, name: str, sentence: str) -> None:
    _refused(_send(as_alice, FILES, name=name), 400, sentence)
    assert not Repo.objects.exists()


def test_bad_files(as_alice: Client, settings: Settings) -> None:
    _refused(_send(as_alice, {}), 400, "Choose the files to upload.")
    twice = [SimpleUploadedFile("README.md", b"1"), SimpleUploadedFile("README.md", b"2")]
    answer = as_alice.post("/upload", {"name": "mine", "contents": twice})
    _refused(answer, 400, "README.md was chosen twice")
    settings.MAX_ADAPTER_FILES = 2
    _refused(_send(as_alice, FILES), 400, "At most 2 files")
    settings.MAX_ADAPTER_FILES, settings.MAX_FILE_SIZE = 9, 10
    _refused(_send(as_alice, FILES), 400, "10 bytes")
    assert not Repo.objects.exists()


def test_the_total_is_limited_before_anything_is_stored(as_alice: Client, settings: Settings) -> None:
    settings.MAX_ADAPTER_SIZE = 50
    _refused(_send(as_alice, FILES), 400, "at most 50 B are taken")
    huge = {"x.safetensors": b"\0" * 1_100_000}
    _refused(_send(as_alice, huge), 413, "An upload may have at most 50 B")


def test_a_file_of_another_kind_is_no_error_here(as_alice: Client) -> None:
    assert _send(as_alice, {"holiday.jpg": b"\xff\xd8"}).status_code == 302


def test_a_backbone_of_that_name_is_not_touched_silently(as_alice: Client, alice: User) -> None:
    repo = factories.make_repo(alice, "mine")
    factories.make_commit(repo, {"config.json": b"{}", "model.safetensors": b"x"})
    response = _send(as_alice, FILES)
    _refused(response, 400, "is not an adapter")


def test_a_whole_model_becomes_a_backbone(as_alice: Client) -> None:
    response = _send(as_alice, {"config.json": b"{}", "model.safetensors": b"x"})
    assert response["Location"] == "/alice/mine"
    assert not Run.objects.exists()


def test_signing_in_comes_first(client: Client, db: None) -> None:
    assert client.get("/upload")["Location"].startswith("/account/login/")
    assert _send(client, FILES)["Location"].startswith("/account/login/")
    assert not Repo.objects.exists()


def test_a_form_without_its_token_is_refused(alice: User) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(alice)
    _refused(_send(strict, FILES), 403, "The form had expired")
    assert not Repo.objects.exists()


def test_the_name_can_be_given_in_the_address(as_alice: Client) -> None:
    assert 'value="again"' in as_alice.get("/upload?name=again").content.decode()
