"""Which adapter comes first: the better verified score, then more downloads, then the newer one."""

from django.db.models import F, OuterRef, QuerySet, Subquery

from hubsite.registry.models import Card
from hubsite.validation.models import Score


def ranked(cards: QuerySet[Card]) -> QuerySet[Card]:
    """`cards` by the score on their task's current suite (none last), downloads, date of publication."""
    score = Score.objects.filter(
        commit=OuterRef("commit"), suite__current=True, suite__task=OuterRef("task")
    ).order_by("-suite_id")
    return cards.annotate(current_score=Subquery(score.values("value")[:1])).order_by(
        F("current_score").desc(nulls_last=True),
        F("commit__repo__downloads").desc(),
        F("commit__published_at").desc(nulls_last=True),
        "-commit_id",
    )
