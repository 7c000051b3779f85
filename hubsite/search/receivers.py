"""What search does when the packages below announce something: it notes whose document is out of date."""

from typing import Any

from django.db.models.signals import post_save
from django.dispatch import receiver

from hubsite.registry.models import Repo
from hubsite.registry.signals import repo_changed
from hubsite.search import outbox
from hubsite.search.builder import published_cards
from hubsite.validation.models import Suite


@receiver(repo_changed)
def note_changed_repo(sender: object, repo: Repo, **_: Any) -> None:
    """Any repo: one that is deleted or no adapter any more loses its document."""
    outbox.mark_stale([repo.pk])


@receiver(post_save, sender=Suite)
def note_new_suite(sender: object, instance: Suite, **_: Any) -> None:
    """Scores count on a task's current suite, so a new one changes the badge of all its adapters."""
    cards = published_cards().filter(task=instance.task_id)
    outbox.mark_stale(cards.values_list("commit__repo_id", flat=True))
