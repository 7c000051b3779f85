"""Bringing an evaluation set onto the hub: its files become a dataset repo, its description a Suite row."""

from pathlib import Path

from django.db import transaction

from hubsite.accounts.actors import Actor
from hubsite.core.errors import BadInput
from hubsite.registry.models import Commit, Repo, RepoKind, Task, TreeEntry
from hubsite.registry.models.content import Blob
from hubsite.registry.services import blobs, commits, repos
from hubsite.validation.models import Suite
from hubsite.validation.suite_files import (
    DESCRIPTION_FILE,
    SPLITS,
    SuiteDescription,
    read_description,
    read_split,
)

_OPTIONAL = ("README.md",)
_LIMIT = 200 * 1024**2


@transaction.atomic
def import_suite(actor: Actor, folder: Path, *, namespace: str) -> Suite:
    """The suite in `folder` as `namespace/slug`; the same bytes again change nothing.

    Raises BadInput for files that are wrong, an unknown task, or new bytes under an old version number.
    """
    description = read_description(folder)
    for split in SPLITS:
        read_split(folder, split, description)
    task = Task.objects.filter(slug=description.task).first()
    if task is None:
        raise BadInput(f"{DESCRIPTION_FILE}: the hub has no task {description.task!r}.")
    stored = _store(folder)
    existing = Suite.objects.filter(slug=description.slug, version=description.version).first()
    if existing is not None:
        return _unchanged(existing, stored)
    repo = _repo(actor, namespace, description)
    commit = _commit(actor, repo, stored, description)
    Suite.objects.filter(slug=description.slug).update(current=False)
    return Suite.objects.create(
        slug=description.slug,
        version=description.version,
        task=task,
        repo=repo,
        commit=commit,
        protocol=description.protocol,
        metric=description.metric,
        labels=description.labels,
    )


def _store(folder: Path) -> dict[str, Blob]:
    names = [DESCRIPTION_FILE, *(f"{split}.jsonl" for split in SPLITS)]
    names += [name for name in _OPTIONAL if (folder / name).is_file()]
    stored = {}
    for name in names:
        with (folder / name).open("rb") as stream:
            stored[name] = blobs.store_blob(stream, size=(folder / name).stat().st_size, limit=_LIMIT)
    return stored


def _unchanged(suite: Suite, stored: dict[str, Blob]) -> Suite:
    entries = TreeEntry.objects.filter(commit=suite.commit)
    if dict(entries.values_list("path", "blob_id")) != {name: blob.sha256 for name, blob in stored.items()}:
        raise BadInput(
            f"The suite {suite} is on the hub with other files; scores point at it, so it cannot change. "
            f"Raise the version in {DESCRIPTION_FILE}."
        )
    return suite


def _repo(actor: Actor, namespace: str, description: SuiteDescription) -> Repo:
    existing = Repo.objects.filter(
        namespace__key=namespace.casefold(), key=description.slug.casefold(), is_dataset=True
    ).first()
    if existing is not None:
        return existing
    return repos.create_repo(actor, namespace=namespace, name=description.slug, kind=RepoKind.DATASET)


def _commit(actor: Actor, repo: Repo, stored: dict[str, Blob], description: SuiteDescription) -> Commit:
    return commits.create_commit(
        actor,
        repo,
        operations=[commits.AddFile(path=name, blob=blob, lfs=False) for name, blob in stored.items()],
        title=f"{description.title}, version {description.version}",
    )
