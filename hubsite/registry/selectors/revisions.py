"""From what people write for a revision to a commit."""

import re

from django.db.models import QuerySet

from adapter_lib.spec.strict_json import is_clean
from hubsite.core.errors import EmptyRepo, RevisionNotFound
from hubsite.registry.models import Commit, Ref, RefKind, Repo

DEFAULT_BRANCH = "main"
_SHA = re.compile(r"[0-9a-f]{7,40}")
_FULL_NAMES = {"refs/heads/": RefKind.BRANCH, "refs/tags/": RefKind.TAG}


def find_commit(repo: Repo, revision: str) -> Commit:
    """The commit that a branch, tag, full sha or unique sha prefix (7 digits or more) names.

    A branch goes before a tag of its name, and both before a sha. Raises RevisionNotFound, and its subclass
    EmptyRepo for the default branch of a repository without commits.
    """
    commit = _by_ref(repo, [revision]).get(revision) or _by_sha(repo, revision)
    if commit is None:
        raise _not_found(repo, revision)
    return commit


def split_revision_path(repo: Repo, text: str) -> tuple[Commit, str]:
    """Split `revision/path…` where the longest ref name ends, else after its first part.

    Both may have slashes (hf_protocol section 1, Revisions); the path is "" where there is none.
    """
    parts = text.split("/")
    candidates = ["/".join(parts[:count]) for count in range(len(parts), 0, -1)]
    found = _by_ref(repo, candidates)
    for candidate in candidates:
        if candidate in found:
            return found[candidate], text[len(candidate) + 1 :]
    commit = _by_sha(repo, parts[0])
    if commit is None:
        raise _not_found(repo, parts[0])
    return commit, text[len(parts[0]) + 1 :]


def refs(repo: Repo) -> QuerySet[Ref]:
    """All branches and tags with their commits, by kind and name."""
    return Ref.objects.filter(repo=repo).select_related("commit").order_by("kind", "name")


def _by_ref(repo: Repo, texts: list[str]) -> dict[str, Commit]:
    """Those of `texts` that name a ref, one query for all."""
    wanted = {text: _short_names(text) for text in texts if is_clean(text)}
    names = {name for pairs in wanted.values() for _, name in pairs}
    rows = Ref.objects.filter(repo=repo, name__in=names).select_related("commit__author")
    commits = {(ref.kind, ref.name): ref.commit for ref in rows}
    found = {}
    for text, pairs in wanted.items():
        commit = next((commits[pair] for pair in pairs if pair in commits), None)
        if commit is not None:
            commit.repo = repo
            found[text] = commit
    return found


def _short_names(text: str) -> list[tuple[str, str]]:
    for prefix, kind in _FULL_NAMES.items():
        if text.startswith(prefix):
            return [(kind, text.removeprefix(prefix))]
    return [(RefKind.BRANCH, text), (RefKind.TAG, text)]


def _by_sha(repo: Repo, text: str) -> Commit | None:
    if not _SHA.fullmatch(text):
        return None
    matches = list(
        Commit.objects.filter(repo=repo, sha__startswith=text).select_related("author").order_by("pk")[:2]
    )
    if len(matches) != 1:
        return None
    matches[0].repo = repo
    return matches[0]


def _not_found(repo: Repo, revision: str) -> RevisionNotFound:
    if revision == DEFAULT_BRANCH and not repo.commits.exists():
        return EmptyRepo(f"{repo.full_name} is empty: nothing has been committed yet.")
    return RevisionNotFound(
        f"{repo.full_name} has no branch, tag or commit {revision[:200]!r}; check the revision."
    )
