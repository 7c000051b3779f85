"""Notes that a search document is out of date, written in the transaction that made it so."""

from collections.abc import Iterable

from hubsite.search.models import OutboxEntry


def mark_stale(repo_ids: Iterable[int]) -> None:
    """Have these repos' documents written anew once the present transaction is committed."""
    OutboxEntry.objects.bulk_create(OutboxEntry(repo_id=repo_id) for repo_id in repo_ids)


def next_batch(limit: int) -> list[OutboxEntry]:
    """The oldest entries."""
    return list(OutboxEntry.objects.order_by("pk")[:limit])


def remove(entries: Iterable[OutboxEntry]) -> None:
    """Delete exactly these: one with a lower number may still be in somebody's open transaction."""
    OutboxEntry.objects.filter(pk__in=[entry.pk for entry in entries]).delete()
