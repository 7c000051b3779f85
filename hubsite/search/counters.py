"""Downloads and likes change too often to note each; from time to time the index is compared with them."""

from collections.abc import Iterator

from django.db.models import Q
from tantivy import Query, Searcher

from hubsite.registry.models import Repo, RepoKind
from hubsite.search import outbox
from hubsite.search.request import Sort
from hubsite.search.schema import KEY, ORDER_FIELDS, REPO, schema, value_of

_CHUNK = 1000

# Repo id → (downloads, likes).
Counts = dict[int, tuple[int, int]]


def mark_changed_counts(searcher: Searcher) -> int:
    """Note every document whose downloads or likes are not the database's; returns how many."""
    changed = 0
    for counts in _counted():
        indexed = _indexed(searcher, list(counts))
        stale = [repo_id for repo_id in indexed if indexed[repo_id] != counts[repo_id]]
        outbox.mark_stale(stale)
        changed += len(stale)
    return changed


def _counted() -> Iterator[Counts]:
    """The adapters that were ever downloaded or liked, in chunks by ascending id."""
    last = 0
    while True:
        repos = Repo.objects.filter(Q(downloads__gt=0) | Q(likes__gt=0), kind=RepoKind.ADAPTER, pk__gt=last)
        rows = list(repos.order_by("pk").values_list("pk", "downloads", "likes")[:_CHUNK])
        if not rows:
            return
        yield {pk: (downloads, likes) for pk, downloads, likes in rows}
        last = rows[-1][0]


def _indexed(searcher: Searcher, repo_ids: list[int]) -> Counts:
    """What the index says of those of `repo_ids` that it has."""
    query = Query.term_set_query(schema(), KEY, [str(repo_id) for repo_id in repo_ids])
    addresses = [address for _, address in searcher.search(query, limit=len(repo_ids), count=False).hits]
    found, downloads, likes = (
        [int(value or 0) for value in searcher.fast_field_values(field, addresses)]
        for field in (REPO, ORDER_FIELDS[Sort.DOWNLOADS], ORDER_FIELDS[Sort.LIKES])
    )
    pairs = zip(map(value_of, downloads), map(value_of, likes), strict=True)
    return dict(zip(found, pairs, strict=True))
