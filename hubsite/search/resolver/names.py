"""`NAMESPACE/NAME[@REVISION]`: one adapter, at its latest published commit unless another is asked for."""

from collections.abc import Collection

from adapter_lib.spec.ids import HubName
from hubsite.accounts.actors import Actor
from hubsite.accounts.permissions import Permission, allows
from hubsite.core.errors import Conflict, NotFound, RepoNotFound, RevisionNotFound
from hubsite.registry.models import Card, Commit, CommitState, Repo, RepoKind
from hubsite.registry.selectors import published
from hubsite.registry.selectors.repos import find_repo
from hubsite.registry.selectors.revisions import DEFAULT_BRANCH, find_commit
from hubsite.search.resolver.answer import Kind, Resolution
from hubsite.search.resolver.candidates import candidates, files
from hubsite.search.resolver.sentences import did_you_mean
from hubsite.search.resolver.wishes import Wishes, unmet


def resolve_name(
    actor: Actor, name: HubName, wishes: Wishes, revision: str, tasks: Collection[str]
) -> Resolution:
    """Raises RepoNotFound, RevisionNotFound, NotFound for what is no adapter, Conflict for an unmet wish."""
    repo = find_adapter(actor, name.namespace, name.name, tasks)
    commit = readable_commit(actor, repo, revision)
    card = adapter_card(commit)
    if fault := unmet(card, wishes):
        raise Conflict(f"{repo.full_name} {fault}; ask without that, or for another adapter.")
    return Resolution(Kind.NAME, candidates(actor, [card])[0], files(commit), (), total=1)


def find_adapter(actor: Actor, namespace: str, name: str, tasks: Collection[str] = ()) -> Repo:
    """The adapter repo of this name. Raises RepoNotFound (naming similar tasks), NotFound for other kinds."""
    try:
        repo = find_repo(actor, is_dataset=False, namespace=namespace, name=name)
    except RepoNotFound as error:
        raise RepoNotFound(error.message + did_you_mean(namespace, tasks)) from None
    if repo.kind != RepoKind.ADAPTER:
        raise NotFound(f"{repo.full_name} is a {repo.get_kind_display().lower()}, not an adapter.")
    return repo


def readable_commit(actor: Actor, repo: Repo, revision: str) -> Commit:
    """The commit of `revision`; by default the latest published one, or the newest while none is.

    A failed commit exists only for those who may write to the repo. Raises RevisionNotFound.
    """
    commit = (None if revision else published.latest(repo)) or find_commit(repo, revision or DEFAULT_BRANCH)
    if commit.state == CommitState.FAILED and not allows(actor, Permission.WRITE_REPO, repo):
        wanted = f"version {revision!r} that" if revision else "version yet that"
        raise RevisionNotFound(f"{repo.full_name} has no {wanted} passed validation.")
    commit.repo = repo
    return commit


def adapter_card(commit: Commit) -> Card:
    """The commit's card. Raises NotFound where it holds no adapter at all."""
    card = Card.objects.filter(commit=commit).select_related("commit__repo__namespace", "task", "backbone")
    found = card.first()
    if found is None:
        raise NotFound(f"{commit.repo.full_name} has no adapter at {commit.sha[:12]}.")
    return found
