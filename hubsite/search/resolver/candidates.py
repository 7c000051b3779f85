"""Cards as candidates, in a constant number of queries."""

from collections.abc import Sequence

from django.db.models import prefetch_related_objects

from hubsite.accounts.actors import Actor
from hubsite.accounts.permissions import Permission, allows
from hubsite.registry.models import Backbone, Card, Commit
from hubsite.registry.selectors.trees import entries
from hubsite.search.builder import current_scores, verified_score, version_tags
from hubsite.search.document import VerifiedScore
from hubsite.search.resolver.answer import BackboneRef, Candidate, ResolvedFile


def candidates(actor: Actor, cards: Sequence[Card]) -> list[Candidate]:
    """The cards in their order, each with its score, version and the reason for its place."""
    prefetch_related_objects(list(cards), "languages", "backbone__repo__namespace")
    commits = [card.commit_id for card in cards]
    scores, tags = current_scores(commits), version_tags(commits)
    found = []
    for card in cards:
        score = scores.get(card.commit_id)
        found.append(
            _candidate(actor, card, verified_score(score) if score else None, tags.get(card.commit_id))
        )
    return found


def files(commit: Commit) -> tuple[ResolvedFile, ...]:
    """All files of a commit, by path."""
    return tuple(ResolvedFile(entry.path, entry.blob_id, entry.blob.size) for entry in entries(commit))


def _candidate(actor: Actor, card: Card, score: VerifiedScore | None, version: str | None) -> Candidate:
    commit = card.commit
    return Candidate(
        id=commit.repo.full_name,
        revision=commit.sha,
        version=version,
        state=commit.state,
        task=card.task.slug if card.task else None,
        dataset=card.dataset or None,
        method=card.method or None,
        languages=tuple(sorted(language.code for language in card.languages.all())),
        reason=_reason(score, commit.repo.downloads),
        score=score,
        backbone=_backbone(actor, card.backbone, card.backbone_revision) if card.backbone else None,
        downloads=commit.repo.downloads,
        published_at=commit.published_at,
    )


def _backbone(actor: Actor, backbone: Backbone, revision: str) -> BackboneRef:
    repo = backbone.repo
    seen = repo is not None and allows(actor, Permission.READ_REPO, repo)
    return BackboneRef(backbone.name, revision or None, repo.full_name if repo and seen else None)


def _reason(score: VerifiedScore | None, downloads: int) -> str:
    if score:
        return f"verified {score.metric} {score.value:.1%} on {score.suite}"
    return f"no verified score yet, {downloads} download{'' if downloads == 1 else 's'}"
