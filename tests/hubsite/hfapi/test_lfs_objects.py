"""Whose stored bytes may be used where."""

import io

import pytest

from hubsite.accounts.actors import Actor
from hubsite.accounts.models import User
from hubsite.core.errors import BadInput
from hubsite.hfapi.lfs_objects import readable_blobs, receive, usable_blobs
from hubsite.hfapi.models import LfsUpload
from hubsite.hfapi.signing import UploadGrant
from hubsite.registry.models import Blob
from tests.hubsite.factories import actor_of, make_blob, make_commit, make_repo


def test_bytes_are_usable_by_whoever_may_read_or_sent_them(alice: User, bob: User) -> None:
    make_commit(make_repo(bob, "open"), {"a": b"public"})
    make_commit(make_repo(bob, "hidden", private=True), {"a": b"private"})
    repo = make_repo(alice, "target")
    public, private, orphan = (make_blob(content) for content in (b"public", b"private", b"nobody's"))
    oids = [public.pk, private.pk, orphan.pk, "0" * 64]
    assert set(usable_blobs(actor_of(alice), repo, oids)) == {public.pk}
    assert set(usable_blobs(actor_of(bob), repo, oids)) == {public.pk, private.pk}
    assert set(usable_blobs(Actor.anonymous(), repo, oids)) == {public.pk}
    LfsUpload.objects.create(repo=repo, blob=orphan, user=alice)
    assert set(usable_blobs(actor_of(alice), repo, oids)) == {public.pk, orphan.pk}


def test_downloads_are_of_the_repository_alone(alice: User) -> None:
    mine, other = make_repo(alice, "mine"), make_repo(alice, "other")
    make_commit(mine, {"a": b"a"})
    make_commit(other, {"b": b"b"})
    oids = [make_blob(b"a").pk, make_blob(b"b").pk]
    assert set(readable_blobs(mine, oids)) == {oids[0]}


def test_more_oids_than_one_query_may_name(alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hubsite.hfapi.lfs_objects._OIDS_PER_QUERY", 2)
    repo = make_repo(alice)
    commit = make_commit(repo, {f"f{number}": b"%d" % number for number in range(5)})
    oids = list(commit.entries.values_list("blob_id", flat=True))
    assert len(usable_blobs(actor_of(alice), repo, oids)) == 5


def test_received_bytes_are_noted_once(alice: User) -> None:
    repo = make_repo(alice)
    oid = make_blob(b"again").pk
    grant = UploadGrant(user_id=alice.pk, repo_id=repo.pk, oid=oid, size=5)
    for _ in range(2):
        receive(grant, io.BytesIO(b"again"))
    assert LfsUpload.objects.filter(repo=repo, blob_id=oid).count() == 1


def test_nothing_is_noted_for_other_bytes_or_a_deleted_repository(alice: User) -> None:
    repo = make_repo(alice)
    grant = UploadGrant(user_id=alice.pk, repo_id=repo.pk, oid="0" * 64, size=5)
    with pytest.raises(BadInput):
        receive(grant, io.BytesIO(b"other"))
    repo.delete()
    with pytest.raises(BadInput, match="deleted"):
        receive(grant, io.BytesIO(b"other"))
    assert not Blob.objects.exists()
