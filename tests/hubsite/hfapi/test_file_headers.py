"""Headers of files: names, types, and that nothing uploaded runs as a page."""

from django.test import Client

from hubsite.accounts.models import User
from hubsite.hfapi.file_headers import content_disposition, content_type
from tests.hubsite.factories import make_commit, make_repo
from tests.hubsite.hfapi.conftest import Bearer
from tests.hubsite.hfapi.wire import body_of


def test_uploaded_pages_are_never_pages_here() -> None:
    assert content_type("x.html") == content_type("x.SVG") == "text/plain; charset=utf-8"
    assert content_type("x.png") == "image/png"
    assert content_type("x.safetensors") == "application/octet-stream"


def test_file_names_in_both_spellings() -> None:
    assert content_disposition('sub/a "ü";.txt') == (
        "inline; filename*=UTF-8''a%20%22%C3%BC%22%3B.txt; filename=\"a ____.txt\";"
    )


def test_uploads_do_not_run_as_pages(client: Client, alice: User) -> None:
    make_commit(make_repo(alice, "files"), {"page.html": b"<script>"})
    response = client.get("/alice/files/resolve/main/page.html")
    assert body_of(response) == b"<script>"
    assert response["Content-Type"] == "text/plain; charset=utf-8"
    assert response["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in response["Content-Security-Policy"]


def test_private_files_are_not_kept_by_caches(bearer: Bearer, alice: User) -> None:
    make_commit(make_repo(alice, "secret", private=True), {"a": b"a"})
    response = bearer(alice).get("/alice/secret/resolve/main/a")
    assert body_of(response) == b"a"
    assert response["Cache-Control"] == "private, no-cache"
