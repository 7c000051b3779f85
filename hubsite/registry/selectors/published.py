"""What has passed validation."""

from django.db.models import QuerySet

from hubsite.registry.models import Commit, CommitState, Repo


def versions(repo: Repo) -> QuerySet[Commit]:
    """The published commits of `repo`, newest first."""
    return Commit.objects.filter(repo=repo, state=CommitState.PUBLISHED).order_by("-published_at", "-pk")


def latest(repo: Repo) -> Commit | None:
    """The newest published commit, or None."""
    return versions(repo).first()
