"""How often a repository was downloaded."""

from django.db.models import F

from hubsite.registry.models import Repo


def count(repo: Repo) -> None:
    """One more download; concurrent ones add up."""
    Repo.objects.filter(pk=repo.pk).update(downloads=F("downloads") + 1)
