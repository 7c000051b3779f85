import hashlib
from datetime import UTC, datetime
from typing import Any

from hubsite.registry.services.identity import commit_sha
from hubsite.registry.services.operations import File

FACTS: dict[str, Any] = {
    "tree": {"a": File("x" * 64, False), "b": File("y" * 64, True)},
    "repo_id": 1,
    "parent": "p" * 40,
    "author": "alice",
    "time": datetime(2026, 1, 1, tzinfo=UTC),
    "title": "A change",
    "message": "Why.",
}


def test_the_same_facts_have_the_same_sha_in_any_order() -> None:
    turned = FACTS | {"tree": dict(reversed(FACTS["tree"].items()))}
    assert commit_sha(**FACTS) == commit_sha(**turned)


def test_the_text_under_the_sha_never_changes() -> None:
    """Or a commit's sha could not be checked any more."""
    text = (
        f"repo 1\nparent {'p' * 40}\nauthor alice\ntime 2026-01-01T00:00:00+00:00\n"
        f"title 8\nA change\nmessage 4\nWhy.\na\0{'x' * 64}\0{0}\nb\0{'y' * 64}\0{1}"
    )
    assert commit_sha(**FACTS) == hashlib.sha1(text.encode()).hexdigest()  # noqa: S324


def test_every_fact_counts() -> None:
    changes: list[dict[str, Any]] = [
        {"tree": {"a": File("x" * 64, False)}},
        {"tree": FACTS["tree"] | {"b": File("y" * 64, False)}},
        {"tree": {"a": FACTS["tree"]["a"], "c": FACTS["tree"]["b"]}},
        {"repo_id": 2},
        {"parent": None},
        {"author": "bob"},
        {"time": datetime(2026, 1, 1, 0, 0, 0, 1, tzinfo=UTC)},
        {"title": "Another"},
        {"message": "Why"},
        {"title": "A change\nmessage 4", "message": "Why."},
    ]
    shas = {commit_sha(**FACTS), *(commit_sha(**(FACTS | change)) for change in changes)}
    assert len(shas) == len(changes) + 1
