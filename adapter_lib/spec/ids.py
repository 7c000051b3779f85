"""Adapter ids (DESIGN.md 4.1) and the names of repositories (hf_protocol section 1).

- `hub:NAMESPACE/NAME[@REVISION]` names an adapter,
- `hub:TASK[/DATASET-OR-METHOD][@NAMESPACE][?backbone=…&language=…]` asks for the best one,
- `hub:sha256:HEX` finds one by the hash of its weights,
- `hf:NAME[@REVISION]` is the upstream hub, anything else a local path.

`a/b` may be a name or a query: task slugs are reserved as namespaces, so whoever knows the tasks (the server)
can tell; everybody else sends the text on.
"""

import re
from collections.abc import Collection
from dataclasses import dataclass, replace
from urllib.parse import parse_qsl

from adapter_lib.spec.errors import AdapterLibError
from adapter_lib.spec.strict_json import quoted

HUB_PREFIX = "hub:"
UPSTREAM_PREFIX = "hf:"
MAX_ID_LENGTH = 500
MAX_REPO_LENGTH = 96
MAX_REVISION_LENGTH = 200
QUERY_KEYS = ("backbone", "language")
_NAME = re.compile(r"[A-Za-z0-9._-]+")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_COMMIT_SHA = re.compile(r"[0-9a-f]{40}")
_REVISION = re.compile(r"[^\s\x00-\x20\x7f~^:?*\[\\]+")


class IdError(AdapterLibError):
    """An id or a name that does not follow the grammar."""


@dataclass(frozen=True)
class HubName:
    """`hub:NAMESPACE/NAME[@REVISION]`; `ambiguous` if without the list of tasks it may as well be a query."""

    namespace: str
    name: str
    revision: str | None = None
    ambiguous: bool = False

    @property
    def repo_id(self) -> str:
        """`NAMESPACE/NAME`."""
        return f"{self.namespace}/{self.name}"


@dataclass(frozen=True)
class HubQuery:
    """`hub:TASK[/QUALIFIER][@NAMESPACE][?backbone=…&language=…]`: the best adapter that fits."""

    task: str
    qualifier: str | None = None
    namespace: str | None = None
    backbone: str | None = None
    language: str | None = None


@dataclass(frozen=True)
class HubHash:
    """`hub:sha256:HEX`: the adapter whose weights file has this hash (64 lower-case hex digits)."""

    sha256: str


@dataclass(frozen=True)
class UpstreamName:
    """`hf:[NAMESPACE/]NAME[@REVISION]` on the upstream model hub."""

    repo: str
    revision: str | None = None


@dataclass(frozen=True)
class LocalPath:
    """A folder on this machine."""

    path: str


AdapterId = HubName | HubQuery | HubHash | UpstreamName | LocalPath


def parse_id(text: str, *, tasks: Collection[str] | None = None) -> AdapterId:
    """Parse an adapter id. Raises IdError.

    With the slugs of all `tasks` given, `hub:a/b` is decided: a HubQuery if `a` is one of them, else a
    HubName. Without them it is a HubName with `ambiguous` set.
    """
    text = text.strip()
    if not text or len(text) > MAX_ID_LENGTH:
        raise IdError(f"An adapter id has 1 to {MAX_ID_LENGTH} characters, this one {len(text)}.")
    if text.startswith(HUB_PREFIX):
        return _parse_hub(text[len(HUB_PREFIX) :], tasks)
    if text.startswith(UPSTREAM_PREFIX):
        return _parse_upstream(text[len(UPSTREAM_PREFIX) :])
    return LocalPath(text)


def check_repo_name(namespace: str | None, name: str) -> None:
    """Check a repository's name against the model hub's grammar; raises IdError saying which rule it breaks.

    `namespace` is None for upstream names without one, such as `gpt2`.
    """
    full = name if namespace is None else f"{namespace}/{name}"
    for part in (name,) if namespace is None else (namespace, name):
        reason = _name_fault(part)
        if reason:
            raise IdError(f"{quoted(full)} is not a repository name: {quoted(part)} {reason}.")
    if len(full) > MAX_REPO_LENGTH:
        raise IdError(
            f"{quoted(full)} is not a repository name: it has more than {MAX_REPO_LENGTH} characters."
        )


def split_repo_id(repo_id: str) -> tuple[str, str]:
    """`NAMESPACE/NAME` in its two parts, checked. Raises IdError."""
    namespace, slash, name = repo_id.partition("/")
    if not slash:
        raise IdError(f"{quoted(repo_id)} has no namespace; write it as NAMESPACE/NAME.")
    check_repo_name(namespace, name)
    return namespace, name


def check_revision(revision: str) -> None:
    """Check the name of a branch, tag or commit against git's rules for refs; raises IdError."""
    sound = (
        _REVISION.fullmatch(revision)
        and revision.isprintable()
        and len(revision) <= MAX_REVISION_LENGTH
        and not any(bad in revision for bad in ("..", "//", "@{", "/."))
        and not revision.startswith(("/", ".", "-"))
        and not revision.endswith(("/", ".", ".lock"))
    )
    if not sound:
        raise IdError(f"{quoted(revision)} is not a revision: give a tag, a branch or a commit sha.")


def is_commit_sha(revision: str | None) -> bool:
    """Whether `revision` is a full commit sha, which alone never changes its meaning."""
    return revision is not None and _COMMIT_SHA.fullmatch(revision) is not None


def _name_fault(part: str) -> str:
    if not _NAME.fullmatch(part):
        return "may only have the characters A-Z a-z 0-9 . _ -, and at least one"
    if part[0] in ".-" or part[-1] in ".-":
        return "may not start or end with '.' or '-'"
    if "--" in part or ".." in part:
        return "may not contain '--' or '..'"
    return "may not end in '.git'" if part.lower().endswith(".git") else ""


def _is_name(part: str) -> bool:
    return not _name_fault(part)


def _parse_upstream(text: str) -> UpstreamName:
    repo, at, revision = text.partition("@")
    namespace, slash, name = repo.partition("/")
    check_repo_name(namespace if slash else None, name if slash else namespace)
    if at:
        check_revision(revision)
    return UpstreamName(repo, revision if at else None)


def _parse_hub(text: str, tasks: Collection[str] | None) -> HubName | HubQuery | HubHash:
    if text.startswith("sha256:"):
        digest = text.removeprefix("sha256:").lower()
        if not _SHA256.fullmatch(digest):
            raise IdError("hub:sha256: needs the 64 hexadecimal digits of the weights file's SHA-256.")
        return HubHash(digest)
    address, question, query = text.partition("?")
    path, at, suffix = address.partition("@")
    first, slash, second = path.partition("/")
    if not slash or question or (tasks is not None and first.lower() in tasks):
        return _query(first, second if slash else None, suffix if at else None, query if question else None)
    check_repo_name(first, second)
    if at:
        check_revision(suffix)
    ambiguous = tasks is None and (not at or _is_name(suffix))
    return HubName(first, second, suffix if at else None, ambiguous)


def _query(task: str, qualifier: str | None, namespace: str | None, query: str | None) -> HubQuery:
    for part in (task, qualifier, namespace):
        if part is not None:
            check_repo_name(None, part)
    found = HubQuery(task.lower(), qualifier.lower() if qualifier else None, namespace)
    if query is None:
        return found
    try:
        pairs = parse_qsl(query, keep_blank_values=True, strict_parsing=True, max_num_fields=len(QUERY_KEYS))
    except ValueError:
        pairs = []
    values = dict(pairs)
    if (
        not pairs
        or len(values) < len(pairs)
        or not values.keys() <= set(QUERY_KEYS)
        or not all(values.values())
    ):
        raise IdError(
            f"After '?' an id may have {' and '.join(f'{key}=…' for key in QUERY_KEYS)}, each once: "
            f"{quoted(query)} is something else."
        )
    return replace(found, **values)
