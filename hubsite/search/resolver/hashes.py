"""`sha256:HEX`: the adapter that has a weights file of this hash."""

from django.db.models import Exists, OuterRef, QuerySet

from hubsite.accounts.actors import Actor
from hubsite.accounts.permissions import visible_repos
from hubsite.core.errors import NotFound
from hubsite.registry.models import Card, CommitState, RepoKind, TreeEntry
from hubsite.search.resolver.answer import Kind, Resolution
from hubsite.search.resolver.candidates import candidates, files
from hubsite.search.resolver.limits import MAX_CANDIDATES
from hubsite.search.resolver.ranking import ranked
from hubsite.search.resolver.wishes import Wishes

_WEIGHTS_SUFFIX = ".safetensors"
# One file may lie in many commits of a repo; only the best of each repo is a candidate.
_MAX_COMMITS = 200


def resolve_hash(actor: Actor, sha256: str, wishes: Wishes) -> Resolution:
    """The best published adapter with these weights. Raises NotFound."""
    best: dict[int, Card] = {}
    for card in ranked(_cards(actor, sha256, wishes))[:_MAX_COMMITS]:
        best.setdefault(card.commit.repo_id, card)
    if not best:
        raise NotFound(f"No published adapter that you may see has a weights file with the SHA-256 {sha256}.")
    found = candidates(actor, list(best.values())[: MAX_CANDIDATES + 1])
    chosen = next(iter(best.values())).commit
    return Resolution(Kind.HASH, found[0], files(chosen), found[1:], total=len(best))


def _cards(actor: Actor, sha256: str, wishes: Wishes) -> QuerySet[Card]:
    weights = TreeEntry.objects.filter(
        commit=OuterRef("commit"), blob_id=sha256, path__endswith=_WEIGHTS_SUFFIX
    )
    cards = Card.objects.filter(
        Exists(weights),
        visible_repos(actor, "commit__repo__"),
        commit__repo__kind=RepoKind.ADAPTER,
        commit__state=CommitState.PUBLISHED,
    )
    if wishes.backbone:
        cards = cards.filter(backbone=wishes.backbone)
    if wishes.language:
        cards = cards.filter(languages=wishes.language)
    return cards.select_related("commit__repo__namespace", "task", "backbone")
