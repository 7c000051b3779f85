"""One writer per repository."""

from hubsite.registry.models import Repo


def lock_repo(repo: Repo) -> Repo:
    """The repository's present row, ours alone until the transaction ends.

    PostgreSQL locks the row; SQLite ignores that, its transactions begin IMMEDIATE and so are alone already.
    """
    return Repo.objects.select_for_update(of=("self",)).select_related("namespace").get(pk=repo.pk)
