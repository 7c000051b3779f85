"""Parts without a request: user agents, large files, signatures, header values, dates."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from django.core import signing

from hubsite.core.errors import Forbidden
from hubsite.hfapi.errors import one_line
from hubsite.hfapi.file_headers import content_disposition, content_type
from hubsite.hfapi.responses import timestamp
from hubsite.hfapi.signing import UploadGrant, read_grant
from hubsite.hfapi.text import is_storable
from hubsite.hfapi.transfer import is_large
from hubsite.hfapi.user_agent import hub_client_version, wants_xet

GRANT = UploadGrant(user_id=1, repo_id=2, oid="a" * 64, size=3)


@pytest.mark.parametrize(
    ("agent", "version", "xet"),
    [
        ("unknown/None; hf_hub/2.4.0; python/3.11.7", (2, 4), True),
        ("transformers/5.23.0; hf_hub/1.20.0; python/3.11", (1, 20), True),
        ("unknown/None; hf_hub/1.19.0; python/3.11", (1, 19), False),
        ("unknown/None; hf_hub/0.36.2; python/3.11", (0, 36), False),
        ("curl/8.0", None, False),
        ("", None, False),
    ],
)
def test_user_agents(agent: str, version: tuple[int, int] | None, xet: bool) -> None:
    assert hub_client_version(agent) == version
    assert wants_xet(agent) is xet


@pytest.mark.parametrize(
    ("path", "size", "large"),
    [
        ("adapter.safetensors", 1, True), ("adapter.SAFETENSORS", 1, True), ("sub/model.bin", 9, True),
        ("empty.bin", 0, False), ("data.jsonl", 10 * 1024**2, False), ("data.jsonl", 10 * 1024**2 + 1, True),
        ("README.md", 100, False), ("bin", 100, False),
    ],
)  # fmt: skip
def test_large_files(path: str, size: int, large: bool) -> None:
    assert is_large(path, size) is large


def test_a_grant_is_good_for_its_object_alone() -> None:
    assert read_grant(GRANT.sign(), oid=GRANT.oid) == GRANT
    with pytest.raises(Forbidden, match="another object"):
        read_grant(GRANT.sign(), oid="b" * 64)


@pytest.mark.parametrize("token", ["", "x", signing.dumps({"user_id": 1}), GRANT.sign()[:-1] + "_"])
def test_forged_grants_are_refused(token: str) -> None:
    with pytest.raises(Forbidden, match="start the upload again"):
        read_grant(token, oid=GRANT.oid)


def test_old_grants_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    token = GRANT.sign()
    monkeypatch.setattr("hubsite.hfapi.signing.MAX_AGE_SECONDS", -1)
    with pytest.raises(Forbidden, match="no longer"):
        read_grant(token, oid=GRANT.oid)


def test_messages_in_headers_are_one_line_of_ascii() -> None:
    assert one_line("one\r\ntwo\tthree  – ü\x00") == "one two three ? ?"
    assert len(one_line("x" * 10_000)) == 500


def test_dates_end_in_z() -> None:
    assert timestamp(datetime(2026, 11, 23, 14, 39, 13, 89_999, UTC)) == "2026-11-23T14:39:13.089Z"
    east = timezone(timedelta(hours=2))
    assert timestamp(datetime(2026, 1, 1, 1, 0, tzinfo=east)) == "2025-12-31T23:00:00.000Z"


def test_uploaded_pages_are_never_pages_here() -> None:
    assert content_type("x.html") == content_type("x.SVG") == "text/plain; charset=utf-8"
    assert content_type("x.png") == "image/png"
    assert content_type("x.safetensors") == "application/octet-stream"


def test_file_names_in_both_spellings() -> None:
    assert content_disposition('sub/a "ü";.txt') == (
        "inline; filename*=UTF-8''a%20%22%C3%BC%22%3B.txt; filename=\"a ____.txt\";"
    )


def test_storable_text() -> None:
    assert is_storable("ä 漢 😀")
    assert not is_storable("a\0b")
    assert not is_storable("\ud800")
