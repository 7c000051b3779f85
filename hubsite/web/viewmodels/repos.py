"""The page of a backbone or an evaluation set: its text and its files."""

from dataclasses import dataclass

from django.urls import reverse
from django.utils.safestring import SafeString

from adapter_lib.spec.card import parse_card
from hubsite.core.errors import EntryNotFound, StorageError
from hubsite.registry.models import Commit, Repo
from hubsite.registry.selectors import trees
from hubsite.registry.selectors.trees import FileItem
from hubsite.storage.current import blob_store
from hubsite.web.card_text import MAX_CHARACTERS, render


@dataclass(frozen=True)
class RepoView:
    """`kind` is the word for it; `body` its README, empty without one."""

    repo: Repo
    commit: Commit
    kind: str
    body: SafeString
    files: list[FileItem]
    files_url: str


def repo_view(repo: Repo, commit: Commit) -> RepoView:
    """The view of one version."""
    files = [item for item in trees.list_tree(commit, recursive=True) if isinstance(item, FileItem)]
    root = f"{reverse('browse')}{'datasets/' if repo.is_dataset else ''}{repo.full_name}"
    files_url = f"{root}/resolve/{commit.sha}/"
    body = render(parse_card(_readme(commit)).body, files_url)
    return RepoView(repo, commit, repo.get_kind_display(), body, files, files_url)


def _readme(commit: Commit) -> bytes:
    try:
        entry = trees.entry(commit, "README.md")
        with blob_store().open(entry.blob_id) as stream:
            return stream.read(4 * MAX_CHARACTERS)
    except (EntryNotFound, StorageError):
        return b""
