"""Browse rows out of search hits."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from django.urls import reverse
from django.utils.safestring import SafeString

from hubsite.registry.models import Card, CommitState
from hubsite.search.queries import Hit
from hubsite.web.drawings import score_line
from hubsite.web.drawings.glyph import glyph
from hubsite.web.viewmodels.badges import PRIVATE, BadgeView, badge_of
from hubsite.web.viewmodels.methods import method_view
from hubsite.web.viewmodels.score_lines import line_of


@dataclass(frozen=True)
class AdapterRow:
    """One adapter in a list. Optional texts are empty; `score` is in points out of 100."""

    url: str
    namespace: str
    name: str
    badges: tuple[BadgeView, ...]
    glyph: SafeString
    hue: str
    method: str
    task: str
    backbone: str
    languages: str
    size: int | None
    downloads: int
    published_at: datetime
    metric: str
    score: float | None
    score_line: SafeString | None


def rows_of(hits: Iterable[Hit]) -> list[AdapterRow]:
    """The rows of one page of hits; one query for their configurations, which the index does not hold."""
    hits = list(hits)
    cards = _cards(hits)
    return [_row(hit, cards.get((hit.namespace.casefold(), hit.name.casefold()))) for hit in hits]


def _cards(hits: list[Hit]) -> Mapping[tuple[str, str], Card]:
    found = Card.objects.filter(
        commit__repo__namespace__key__in={hit.namespace.casefold() for hit in hits},
        commit__repo__key__in={hit.name.casefold() for hit in hits},
        commit__repo__is_dataset=False,
        commit__sha__in={hit.revision for hit in hits},
    ).select_related("commit__repo__namespace", "backbone")
    return {(card.commit.repo.namespace.key, card.commit.repo.key): card for card in found}


def _row(hit: Hit, card: Card | None) -> AdapterRow:
    layers = card.backbone.num_layers if card and card.backbone else None
    method = method_view(hit.method, card.config if card else {}, layers)
    badges = [badge_of(CommitState.PUBLISHED, scored=hit.score is not None)]
    return AdapterRow(
        url=reverse("adapter", args=[hit.namespace, hit.name]),
        namespace=hit.namespace,
        name=hit.name,
        badges=tuple([*badges, PRIVATE] if hit.private else badges),
        glyph=glyph(method.facts),
        hue=method.hue,
        method=method.text,
        task=hit.task_name or hit.task,
        backbone=hit.backbone.rpartition("/")[2],
        languages=", ".join(hit.languages),
        size=hit.size,
        downloads=hit.downloads,
        published_at=hit.published_at,
        metric=hit.score.metric if hit.score else "",
        score=hit.score.value if hit.score else None,
        score_line=score_line.small(line_of(hit.score, method.hue)) if hit.score else None,
    )
