"""What the hub knows of one repository at one commit, gathered once for an answer."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from adapter_lib.spec.card import CARD_FILE, CardText, parse_card
from hubsite.core.errors import EmptyRepo
from hubsite.hfapi.names import commit_of
from hubsite.registry.models import Backbone, Card, Commit, Repo, RepoKind
from hubsite.registry.selectors.revisions import DEFAULT_BRANCH
from hubsite.registry.selectors.trees import FileItem, entries, file_item
from hubsite.storage.current import blob_store

# A card is prose: what is longer is cut by the parser too.
_MAX_README = 500_000


@dataclass(frozen=True)
class RepoFacts:
    """`files` is None where none are listed; `readme` is the SHA-256 of README.md, if that is wanted."""

    repo: Repo
    commit: Commit | None
    card: Card | None
    backbone: Backbone | None
    files: tuple[FileItem, ...] | None = None
    readme: str | None = None

    @cached_property
    def card_text(self) -> CardText:
        """The parsed README.md; an empty one where there is none."""
        if self.readme is None:
            return parse_card("")
        with blob_store().open(self.readme) as file:
            return parse_card(file.read(_MAX_README))

    @property
    def front(self) -> dict[str, Any]:
        """The card's front matter."""
        return self.card_text.front


def gather(repo: Repo, revision: str | None) -> RepoFacts:
    """The facts at `revision`, the default branch if None. Raises `RevisionNotFound`.

    A repository without commits has facts too, or nobody could look at what they have just created.
    """
    try:
        commit = commit_of(repo, revision or DEFAULT_BRANCH)
    except EmptyRepo:
        return RepoFacts(repo, None, None, None, files=())
    files = tuple(file_item(entry) for entry in entries(commit))
    readme = next((file.sha256 for file in files if file.path == CARD_FILE), None)
    card = _card(commit) if repo.kind == RepoKind.ADAPTER else None
    return RepoFacts(repo, commit, card, _backbone(repo, card), files, readme)


def _card(commit: Commit) -> Card | None:
    cards = Card.objects.select_related("task", "backbone").prefetch_related("languages")
    return cards.filter(commit=commit).first()


def _backbone(repo: Repo, card: Card | None) -> Backbone | None:
    if card is not None:
        return card.backbone
    return Backbone.objects.filter(repo=repo).first() if repo.kind == RepoKind.BACKBONE else None
