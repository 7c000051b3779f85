"""From uploaded files to a version that waits for its validation."""

from collections.abc import Sequence
from typing import BinaryIO, cast

from django.core.files.uploadedfile import UploadedFile

from hubsite.accounts.actors import Actor
from hubsite.accounts.models import User
from hubsite.core.errors import BadInput, Conflict, RepoExists
from hubsite.registry.models import Blob, Commit, Repo, RepoKind
from hubsite.registry.selectors.repos import find_repo
from hubsite.registry.services.blobs import store_blob
from hubsite.registry.services.commits import AddFile, create_commit
from hubsite.registry.services.repos import create_repo

# Text files that people read and compare; everything else moves as clients move large files.
_PLAIN = (".json", ".md", ".txt", ".yaml", ".yml")


def upload(user: User, *, name: str, private: bool, files: "Sequence[UploadedFile[bytes]]") -> Commit:
    """A new version of the user's adapter `name`, which is created if need be. Raises HubErrors.

    The bytes are stored before the repository is made, so that a full disk leaves no empty one behind.
    """
    blobs = [(file.name or "", _store(file)) for file in files]
    actor = Actor.of_user(user)
    repo = _repo(actor, user, name, private=private)
    operations = [AddFile(path, blob, not path.endswith(_PLAIN)) for path, blob in blobs]
    return create_commit(actor, repo, operations=operations, title="Upload through the site")


def _store(file: "UploadedFile[bytes]") -> Blob:
    if file.file is None:
        raise BadInput(f"{file.name} did not arrive; choose it again.")
    file.seek(0)
    return store_blob(cast("BinaryIO", file.file), size=file.size)


def _repo(actor: Actor, user: User, name: str, *, private: bool) -> Repo:
    """A new repository, or the user's own of that name; its visibility then stays what it was."""
    try:
        return create_repo(actor, namespace=None, name=name, kind=RepoKind.ADAPTER, private=private)
    except RepoExists:
        repo = find_repo(actor, is_dataset=False, namespace=user.username, name=name)
    if repo.kind != RepoKind.ADAPTER:
        raise Conflict(f"{repo.full_name} is not an adapter but a {repo.get_kind_display().lower()}.")
    return repo
