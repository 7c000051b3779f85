"""An adapter's page, and the plainer pages of backbones and evaluation sets."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from hubsite.accounts.actors import Actor
from hubsite.accounts.permissions import Permission, allows, repo_not_found
from hubsite.core.errors import RevisionNotFound
from hubsite.registry.models import Commit, CommitState, Repo, RepoKind
from hubsite.registry.selectors import published
from hubsite.registry.selectors.repos import find_repo
from hubsite.registry.selectors.revisions import find_commit
from hubsite.web.errors import page
from hubsite.web.viewmodels.adapter import adapter_view
from hubsite.web.viewmodels.repos import repo_view
from hubsite.web.visitor import actor_of


@require_safe
@page
def adapter(request: HttpRequest, namespace: str, name: str, revision: str = "") -> HttpResponse:
    """The latest published version, or the one `revision` names; owners see their unpublished ones too."""
    actor = actor_of(request)
    repo = find_repo(actor, is_dataset=False, namespace=namespace, name=name)
    commit = _commit(actor, repo, revision)
    if commit is None:
        return render(request, "adapter/nothing_yet.html", {"repo": repo})
    if repo.kind != RepoKind.ADAPTER:
        return render(request, "adapter/repo.html", {"view": repo_view(repo, commit)})
    pinned = f"{repo.full_name}@{revision}" if revision else repo.full_name
    endpoint = request.build_absolute_uri("/").rstrip("/")
    view = adapter_view(actor, repo, commit, adapter_id=pinned, endpoint=endpoint)
    return render(request, "adapter/page.html", {"view": view})


@require_safe
@page
def dataset(request: HttpRequest, namespace: str, name: str, revision: str = "") -> HttpResponse:
    """An evaluation set: its files, so that anyone can repeat a measurement."""
    actor = actor_of(request)
    repo = find_repo(actor, is_dataset=True, namespace=namespace, name=name)
    commit = _commit(actor, repo, revision)
    if commit is None:
        return render(request, "adapter/nothing_yet.html", {"repo": repo})
    return render(request, "adapter/repo.html", {"view": repo_view(repo, commit)})


def _commit(actor: Actor, repo: Repo, revision: str) -> Commit | None:
    """The version to show; None, for the owner alone, where nothing was committed yet."""
    owns = allows(actor, Permission.WRITE_REPO, repo)
    commit = find_commit(repo, revision) if revision else published.latest(repo)
    if commit is None and owns:
        commit = repo.commits.order_by("-pk").first()
    elif commit is None:
        # A repository that never published anything looks to strangers as if it were not there.
        raise repo_not_found(repo.full_name)
    elif commit.state != CommitState.PUBLISHED and not owns:
        raise RevisionNotFound(
            f"{repo.full_name} has no published version {revision[:80]!r}; check the revision."
        )
    if commit is not None:
        commit.repo = repo
    return commit
