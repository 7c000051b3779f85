"""Lines of commits, and which commit of a line last changed a file."""

from collections import defaultdict
from collections.abc import Sequence

from hubsite.registry.models import Commit, TreeEntry

# Databases bound the number of parameters of one query.
_PATHS_PER_QUERY = 500


def line_of(commit: Commit) -> list[int]:
    """Primary keys of `commit` and its ancestors, newest first. One query, whatever the length."""
    parents = dict(Commit.objects.filter(repo=commit.repo).values_list("pk", "parent_id"))
    line: list[int] = []
    at: int | None = commit.pk
    while at is not None:
        line.append(at)
        at = parents.get(at)
    return line


def last_changes(commit: Commit, paths: Sequence[str]) -> dict[str, Commit]:
    """For each file of `commit` among `paths`, the commit that gave it its present content."""
    line = line_of(commit)
    contents = _contents(commit, paths)
    changed_by = {path: _oldest_equal(line, contents[path]) for path in paths if path in contents}
    commits = Commit.objects.in_bulk(set(changed_by.values()))
    return {path: commits[pk] for path, pk in changed_by.items()}


def _contents(commit: Commit, paths: Sequence[str]) -> dict[str, dict[int, str]]:
    """Per path: in which commit of the repository it has which bytes."""
    found: dict[str, dict[int, str]] = defaultdict(dict)
    for start in range(0, len(paths), _PATHS_PER_QUERY):
        rows = TreeEntry.objects.filter(
            commit__repo=commit.repo, path__in=paths[start : start + _PATHS_PER_QUERY]
        ).values_list("path", "commit_id", "blob_id")
        for path, commit_id, blob_id in rows:
            found[path][commit_id] = blob_id
    return found


def _oldest_equal(line: Sequence[int], content: dict[int, str]) -> int:
    """The last commit down the line from its head in which the content is still the head's."""
    present = content.get(line[0])
    oldest = line[0]
    for pk in line[1:]:
        if content.get(pk) != present:
            break
        oldest = pk
    return oldest
