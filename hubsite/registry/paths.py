"""Which paths a file of a repository may have, and what their parts are."""

from collections.abc import Iterable

from hubsite.core.errors import BadInput

PATH_LENGTH = 512
PART_LENGTH = 255


def check_path(path: str) -> str:
    """`path` if it may name a file or folder of a repository, else BadInput."""
    problem = _problem(path)
    if problem:
        raise BadInput(f"The path {path[:PATH_LENGTH]!r} {problem}.")
    return path


def parents(path: str) -> list[str]:
    """The folders above `path`, outermost first: `a/b/c` gives `a`, `a/b`."""
    parts = path.split("/")
    return ["/".join(parts[:depth]) for depth in range(1, len(parts))]


def check_no_file_is_folder(paths: Iterable[str]) -> None:
    """Raise BadInput where one path is both a file and a folder."""
    files = set(paths)
    for path in files:
        for folder in parents(path):
            if folder in files:
                raise BadInput(f"{folder} cannot be a file and, for {path}, a folder; rename one of them.")


def _problem(path: str) -> str | None:
    if not path or len(path) > PATH_LENGTH:
        return f"must have 1 to {PATH_LENGTH} characters"
    if not path.isprintable():
        return "has control characters; leave them out"
    if "\\" in path:
        return "has a backslash; write '/' between folders"
    for part in path.split("/"):
        if part in {"", ".", ".."}:
            return "starts or ends with '/', or has '//', '/./' or '/../' in it; write a plain relative path"
        if part.lower() == ".git":
            return "goes through '.git', which is reserved"
        if len(part.encode()) > PART_LENGTH:
            return f"has a part of more than {PART_LENGTH} bytes; shorten it"
    return None
