"""Which stored objects somebody may use in a repository, and taking in new ones."""

from collections.abc import Iterable
from typing import BinaryIO

from django.db.models import Exists, OuterRef, Q

from hubsite.accounts.actors import Actor
from hubsite.accounts.permissions import visible_repos
from hubsite.core.errors import BadInput
from hubsite.hfapi.models import LfsUpload
from hubsite.hfapi.signing import UploadGrant
from hubsite.registry.models import Blob, Repo, TreeEntry
from hubsite.registry.services.blobs import store_blob

# Databases bound the number of parameters of one query.
_OIDS_PER_QUERY = 500


def usable_blobs(actor: Actor, repo: Repo, oids: Iterable[str]) -> dict[str, Blob]:
    """Those of `oids` that the actor sent to this repository or may read in some repository."""
    readable = TreeEntry.objects.filter(visible_repos(actor, "commit__repo__"), blob=OuterRef("pk"))
    sent = LfsUpload.objects.filter(repo=repo, blob=OuterRef("pk"))
    wanted = list(dict.fromkeys(oids))
    found: dict[str, Blob] = {}
    for start in range(0, len(wanted), _OIDS_PER_QUERY):
        rows = Blob.objects.filter(Q(Exists(readable)) | Q(Exists(sent)))
        found |= {blob.pk: blob for blob in rows.filter(pk__in=wanted[start : start + _OIDS_PER_QUERY])}
    return found


def readable_blobs(repo: Repo, oids: Iterable[str]) -> dict[str, Blob]:
    """Those of `oids` that are files of this repository."""
    entries = TreeEntry.objects.filter(commit__repo=repo, blob=OuterRef("pk"))
    return {blob.pk: blob for blob in Blob.objects.filter(Exists(entries), pk__in=list(oids))}


def receive(grant: UploadGrant, stream: BinaryIO) -> None:
    """Store the granted object and note that it was sent. Raises `BadInput` if the bytes are others.

    Also when the bytes are known: only sending them proves that the sender has them.
    """
    repo = Repo.objects.filter(pk=grant.repo_id).first()
    if repo is None:
        raise BadInput("The repository was deleted in the meantime.")
    blob = store_blob(stream, size=grant.size, sha256=grant.oid)
    LfsUpload.objects.update_or_create(repo=repo, blob=blob, defaults={"user_id": grant.user_id})
