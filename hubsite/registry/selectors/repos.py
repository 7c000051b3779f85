"""Finding repositories, as far as an actor may see them."""

from django.db.models import QuerySet

from adapter_lib.spec.strict_json import is_clean
from hubsite.accounts.actors import Actor
from hubsite.accounts.permissions import repo_not_found, visible_repos
from hubsite.registry.models import Repo


def list_repos(actor: Actor) -> QuerySet[Repo]:
    """All repositories that `actor` may read, with their namespaces."""
    return Repo.objects.filter(visible_repos(actor)).select_related("namespace")


def find_repo(actor: Actor, *, is_dataset: bool, namespace: str, name: str) -> Repo:
    """The repository `namespace/name`, in any case. Raises RepoNotFound, the same for absent and hidden."""
    found = list_repos(actor).filter(
        namespace__key=namespace.casefold(), key=name.casefold(), is_dataset=is_dataset
    )
    # PostgreSQL raises on a NUL, both databases on a lone surrogate.
    repo = found.first() if is_clean(namespace + name) else None
    if repo is None:
        raise repo_not_found(f"{namespace}/{name}")
    return repo
