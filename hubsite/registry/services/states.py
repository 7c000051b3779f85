"""The life of a commit: received → validating → published or failed (DESIGN.md 4.3)."""

from django.db import transaction

from hubsite.core.clock import now
from hubsite.core.errors import Conflict
from hubsite.registry.models import Commit, CommitState, Ref, RefKind, Repo, RepoKind
from hubsite.registry.services.locks import lock_repo
from hubsite.registry.signals import commit_published, repo_changed

_MAY_START = (CommitState.RECEIVED, CommitState.VALIDATING, CommitState.FAILED)


def start_validation(commit: Commit) -> None:
    """The commit is being validated; a failed one may be tried again. Raises Conflict for a published one."""
    changed = Commit.objects.filter(pk=commit.pk, state__in=_MAY_START).update(
        state=CommitState.VALIDATING, state_reason=""
    )
    if not changed:
        raise Conflict(f"Commit {commit.sha[:12]} is published already; what is published does not change.")
    commit.state, commit.state_reason = CommitState.VALIDATING, ""


def publish(commit: Commit) -> Commit:
    """Publish the commit and tag an adapter's as the next of v1, v2, …; publishing twice changes nothing."""
    with transaction.atomic():
        repo = lock_repo(commit.repo)
        changed = (
            Commit.objects.filter(pk=commit.pk)
            .exclude(state=CommitState.PUBLISHED)
            .update(state=CommitState.PUBLISHED, state_reason="", published_at=now())
        )
        commit.refresh_from_db(fields=["state", "state_reason", "published_at"])
        if changed:
            if repo.kind == RepoKind.ADAPTER:
                _tag_version(commit)
            commit_published.send(Commit, commit=commit)
            repo_changed.send(Repo, repo=commit.repo)
    return commit


def fail(commit: Commit, reason: str) -> None:
    """The commit did not pass; `reason` is a sentence for its owner. Raises Conflict for a published one."""
    with transaction.atomic():
        changed = (
            Commit.objects.filter(pk=commit.pk)
            .exclude(state=CommitState.PUBLISHED)
            .update(state=CommitState.FAILED, state_reason=reason)
        )
        if not changed:
            raise Conflict(
                f"Commit {commit.sha[:12]} is published already; what is published does not change."
            )
        commit.state, commit.state_reason = CommitState.FAILED, reason
        repo_changed.send(Repo, repo=commit.repo)


def _tag_version(commit: Commit) -> None:
    """The next free `v` number. Called with the repository locked."""
    names = Ref.objects.filter(repo=commit.repo, name__startswith="v").values_list("name", flat=True)
    numbers = [int(name[1:]) for name in names if name[1:].isdecimal() and name[1:].isascii()]
    Ref.objects.create(
        repo=commit.repo, kind=RefKind.TAG, name=f"v{max(numbers, default=0) + 1}", commit=commit
    )
