"""What validation does when the registry announces something."""

from typing import Any

from django.dispatch import receiver

from hubsite.registry.models import Commit, RepoKind
from hubsite.registry.signals import revision_created
from hubsite.validation.services.opening import open_run


@receiver(revision_created)
def validate_new_revision(sender: object, commit: Commit, **_: Any) -> None:
    """Every new commit of an adapter gets a run, in the transaction that made it."""
    if commit.repo.kind == RepoKind.ADAPTER:
        open_run(commit)
