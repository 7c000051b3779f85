"""Documents out of the database: each adapter's latest published commit, in a constant number of queries."""

from collections.abc import Collection

from django.db.models import F, OuterRef, QuerySet, Subquery

from hubsite.registry.models import Card, Commit, CommitState, Ref, RefKind, RepoKind
from hubsite.search.config_text import config_text
from hubsite.search.document import Badge, Document, Hit, VerifiedScore
from hubsite.validation.models import Score


def published_cards() -> QuerySet[Card]:
    """The card of every adapter's latest published commit: what search lists and queries may choose."""
    latest = (
        Commit.objects.filter(repo=OuterRef("commit__repo"), state=CommitState.PUBLISHED)
        .order_by("-published_at", "-pk")
        .values("pk")[:1]
    )
    return Card.objects.filter(
        commit=Subquery(latest), commit__repo__kind=RepoKind.ADAPTER, commit__published_at__isnull=False
    ).select_related("commit__repo__namespace", "task", "backbone")


def build_documents(repo_ids: Collection[int]) -> dict[int, Document]:
    """Documents by repo id; repos that are not there or have nothing published have none."""
    cards = list(published_cards().filter(commit__repo_id__in=repo_ids).prefetch_related("languages"))
    commits = [card.commit_id for card in cards]
    scores = current_scores(commits)
    tags = version_tags(commits)
    return {
        card.commit.repo_id: _document(card, scores.get(card.commit_id), tags.get(card.commit_id, ""))
        for card in cards
    }


def current_scores(commit_ids: Collection[int]) -> dict[int, Score]:
    """Each commit's score on the current suite of its card's task; of several such suites, the newest."""
    scores = (
        Score.objects.filter(commit__in=commit_ids, suite__current=True, suite__task=F("commit__card__task"))
        .select_related("suite")
        .order_by("suite_id")
    )
    return {score.commit_id: score for score in scores}


def version_tags(commit_ids: Collection[int]) -> dict[int, str]:
    """The version tag of each commit that has one; the latest, where a commit was tagged twice."""
    refs = Ref.objects.filter(kind=RefKind.TAG, commit__in=commit_ids, name__regex=r"^v[0-9]+$")
    named = sorted(refs.values_list("commit_id", "name"), key=lambda row: int(row[1][1:]))
    return dict(named)


def verified_score(score: Score) -> VerifiedScore:
    """A measured score as lists, pages and API answers carry it."""
    return VerifiedScore(
        suite=str(score.suite),
        metric=score.metric,
        value=score.value,
        low=score.low,
        high=score.high,
        majority=score.majority,
        probe=score.probe,
        claimed=score.claimed,
        examples=score.examples,
    )


def _document(card: Card, score: Score | None, version: str) -> Document:
    repo = card.commit.repo
    return Document(
        repo_id=repo.pk,
        hit=_hit(card, score, version),
        body=card.body,
        backbone_aliases=tuple(card.backbone.aliases) if card.backbone else (),
        owner_id=repo.namespace.owner_id,
    )


def _hit(card: Card, score: Score | None, version: str) -> Hit:
    commit, repo = card.commit, card.commit.repo
    languages = sorted(card.languages.all(), key=lambda language: language.code)
    if commit.published_at is None:
        raise ValueError(f"commit {commit.sha} of {repo.full_name} is not published")
    return Hit(
        namespace=repo.namespace.name,
        name=repo.name,
        revision=commit.sha,
        version=version,
        summary=card.summary,
        task=card.task.slug if card.task else "",
        task_name=card.task.name if card.task else "",
        dataset=card.dataset,
        languages=tuple(language.code for language in languages),
        language_names=tuple(language.name for language in languages),
        backbone=card.backbone.name if card.backbone else "",
        method=card.method,
        config=config_text(card.config),
        license=card.license,
        size=card.weights_size,
        parameters=card.parameters,
        badge=Badge.VERIFIED if score else Badge.UNSCORED,
        score=verified_score(score) if score else None,
        downloads=repo.downloads,
        likes=repo.likes,
        published_at=commit.published_at,
        private=repo.private,
    )
