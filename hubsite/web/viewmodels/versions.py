"""A repository's versions as a list: tags, states, reasons."""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Exists, OuterRef
from django.urls import reverse

from hubsite.registry.models import Commit, CommitState, Ref, RefKind, Repo
from hubsite.validation.models import Score
from hubsite.web.viewmodels.badges import BadgeView, badge_of

# A page is not an archive; the API lists them all.
_SHOWN = 30


@dataclass(frozen=True)
class VersionRow:
    """One commit. `label` is its version tag, else the beginning of its sha."""

    label: str
    sha: str
    title: str
    url: str
    badge: BadgeView
    reason: str
    moment: datetime
    current: bool


def version_rows(repo: Repo, shown: Commit, *, all_states: bool) -> list[VersionRow]:
    """The newest versions first; the unpublished ones only with `all_states`, which is for the owner."""
    commits = Commit.objects.filter(repo=repo).order_by("-pk")
    if not all_states:
        commits = commits.filter(state=CommitState.PUBLISHED)
    scored = Exists(Score.objects.filter(commit=OuterRef("pk")))
    found = list(commits.annotate(scored=scored)[:_SHOWN])
    tags = dict(
        Ref.objects.filter(commit__in=found, kind=RefKind.TAG)
        .values_list("commit_id", "name")
        .order_by("-pk")
    )
    return [_row(repo, commit, tags.get(commit.pk, ""), shown) for commit in found]


def _row(repo: Repo, commit: Commit, tag: str, shown: Commit) -> VersionRow:
    return VersionRow(
        label=tag or commit.sha[:8],
        sha=commit.sha,
        title=commit.title,
        url=reverse("adapter", args=[repo.namespace.name, repo.name, tag or commit.sha]),
        badge=badge_of(commit.state, scored=bool(getattr(commit, "scored", False))),
        reason=commit.state_reason if commit.state == CommitState.FAILED else "",
        moment=commit.published_at or commit.created_at,
        current=commit.pk == shown.pk,
    )
