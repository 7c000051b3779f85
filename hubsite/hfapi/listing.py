"""The repositories of a list, and what is known of each, in a constant number of queries."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import BigIntegerField, Exists, OuterRef, Q, QuerySet, Subquery, Value
from django.db.models.functions import Coalesce, Concat

from adapter_lib.spec.card import CARD_FILE
from hubsite.accounts.actors import Actor
from hubsite.hfapi.facts import RepoFacts
from hubsite.hfapi.sorting import Sort
from hubsite.hfapi.tags import tag_filter
from hubsite.registry.models import Backbone, Card, Commit, CommitState, Ref, RefKind, Repo, TreeEntry
from hubsite.registry.selectors.repos import list_repos
from hubsite.registry.selectors.revisions import DEFAULT_BRANCH
from hubsite.registry.selectors.trees import FileItem, file_item


@dataclass(frozen=True)
class ListQuery:
    """What a list is narrowed to; all conditions hold together."""

    is_dataset: bool
    sort: Sort
    author: str = ""
    search: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    gated: bool = False


def find_repos(actor: Actor, query: ListQuery) -> QuerySet[Repo]:
    """What is published, and what belongs to the actor, in order.

    Each row has `shown_commit`: the newest published commit, or for its owner the head of an unpublished
    repository.
    """
    rows = _listed(actor).filter(is_dataset=query.is_dataset)
    if query.author:
        rows = rows.filter(namespace__key=query.author.casefold())
    rows = rows.alias(full_key=Concat("namespace__key", Value("/"), "key"))
    for text in query.search:
        rows = rows.filter(full_key__contains=text.casefold())
    for tag in query.tags:
        rows = rows.filter(tag_filter(tag))
    if query.gated:
        rows = rows.none()
    return rows.order_by(*query.sort.columns)


def _listed(actor: Actor) -> QuerySet[Repo]:
    published = Commit.objects.filter(repo=OuterRef("pk"), state=CommitState.PUBLISHED)
    head = Ref.objects.filter(repo=OuterRef("pk"), kind=RefKind.BRANCH, name=DEFAULT_BRANCH)
    wanted = Q(Exists(published))
    if actor.user is not None:
        wanted |= Q(namespace__owner=actor.user.pk)
    newest = published.order_by("-published_at", "-pk").values("pk")[:1]
    return (
        list_repos(actor)
        .filter(wanted)
        .annotate(
            shown_commit=Coalesce(
                Subquery(newest), Subquery(head.values("commit")[:1]), output_field=BigIntegerField()
            )
        )
    )


def gather_all(repos: Sequence[Repo], *, files: bool, readme: bool) -> list[RepoFacts]:
    """The facts of each repository; files and the card's own text only if they are wanted."""
    shown = {repo.pk: getattr(repo, "shown_commit", None) for repo in repos}
    commits = Commit.objects.in_bulk([pk for pk in shown.values() if pk is not None])
    cards = _cards(list(commits))
    backbones = {row.repo_id: row for row in Backbone.objects.filter(repo__in=repos)}
    listed = _files(list(commits), everything=files) if files or readme else {}
    found = []
    for repo in repos:
        commit_id = shown[repo.pk] or 0
        card = cards.get(commit_id)
        items = listed.get(commit_id, ())
        found.append(
            RepoFacts(
                repo=repo,
                commit=commits.get(commit_id),
                card=card,
                backbone=card.backbone if card else backbones.get(repo.pk),
                files=tuple(items) if files else None,
                readme=next((item.sha256 for item in items if item.path == CARD_FILE), None)
                if readme
                else None,
            )
        )
    return found


def _cards(commits: list[int]) -> dict[int, Card]:
    cards = Card.objects.filter(commit__in=commits).select_related("task", "backbone")
    return {card.commit_id: card for card in cards.prefetch_related("languages")}


def _files(commits: list[int], *, everything: bool) -> dict[int, list[FileItem]]:
    rows = TreeEntry.objects.filter(commit__in=commits).select_related("blob").order_by("path")
    found: dict[int, list[FileItem]] = defaultdict(list)
    for row in rows if everything else rows.filter(path=CARD_FILE):
        found[row.commit_id].append(file_item(row))
    return found
