"""What an uploader does with each file (hf_protocol 3.6 and 3.7, way A)."""

from typing import Any

from django.conf import settings as django_settings
from django.http import HttpResponse

from hubsite.accounts.permissions import Permission, require
from hubsite.core.errors import BadInput, EmptyRepo
from hubsite.hfapi.bodies import read_body
from hubsite.hfapi.calls import Call
from hubsite.hfapi.errors import one_line
from hubsite.hfapi.gitignore import IgnoreRules
from hubsite.hfapi.names import commit_of, repo_of
from hubsite.hfapi.queries import flag
from hubsite.hfapi.responses import json_response
from hubsite.hfapi.schemas.fields import parse_object
from hubsite.hfapi.schemas.preupload import Preupload, PreuploadFile
from hubsite.hfapi.transfer import is_large
from hubsite.hfapi.user_agent import wants_xet
from hubsite.registry.models import Repo, TreeEntry
from hubsite.storage.current import blob_store

_GIT_IGNORE = ".gitignore"
_MAX_GIT_IGNORE = 64 * 1024
# What an operation adds to its path and content in a commit.
_LINE_BYTES = 200


def preupload(call: Call, kind: str, repo_id: str, revision: str) -> HttpResponse:
    """`POST /api/{T}/{id}/preupload/{rev}`: mode and present identity of each file."""
    repo = repo_of(call, kind, repo_id)
    require(call.actor, Permission.WRITE_REPO, repo)
    refuse_pull_request(call)
    wanted = Preupload.read(parse_object(read_body(call.request), "The body"))
    large = _large_files(wanted.files, call.request.headers.get("User-Agent", ""))
    present = _present(repo, revision, [file.path for file in wanted.files])
    rules = IgnoreRules(_ignore_text(wanted, present))
    answers = [
        _answer(file, present.get(file.path), large=file.path in large, ignored=rules.ignores(file.path))
        for file in wanted.files
    ]
    response = json_response({"files": answers})
    if large and wants_xet(call.request.headers.get("User-Agent", "")):
        response["X-HF-Warning"] = one_line(_large_warning(large))
    return response


def _large_warning(paths: set[str]) -> str:
    """What the client prints before it fails over Xet, with a message that says nothing of the way out."""
    limit = int(django_settings.MAX_COMMIT_BODY) // 1024**2
    return (
        f"large-files; {', '.join(sorted(paths))}: too large for a commit to this hub, which takes "
        f"{limit} MB. Set HF_HUB_DISABLE_XET=1 and upload again."
    )


def refuse_pull_request(call: Call) -> None:
    """Raises `BadInput` where the client wants its commit as a pull request."""
    if flag(call.request.GET, "create_pr"):
        raise BadInput("This hub has no pull requests yet; commit to a branch of your own repository.")


def _present(repo: Repo, revision: str, paths: list[str]) -> dict[str, TreeEntry]:
    """What the revision has at these paths, and its .gitignore."""
    try:
        commit = commit_of(repo, revision)
    except EmptyRepo:
        return {}
    rows = TreeEntry.objects.filter(commit=commit, path__in=[*paths, _GIT_IGNORE]).select_related("blob")
    return {row.path: row for row in rows}


def _ignore_text(wanted: Preupload, present: dict[str, TreeEntry]) -> str:
    """The rules that come with the upload, else the revision's own."""
    if wanted.git_ignore is not None or _GIT_IGNORE not in present:
        return wanted.git_ignore or ""
    with blob_store().open(present[_GIT_IGNORE].blob_id) as file:
        return file.read(_MAX_GIT_IGNORE).decode(errors="replace")


def _answer(file: PreuploadFile, entry: TreeEntry | None, *, large: bool, ignored: bool) -> dict[str, Any]:
    answer: dict[str, Any] = {
        "path": file.path,
        "uploadMode": "lfs" if large else "regular",
        "shouldIgnore": ignored,
    }
    if entry is not None:
        # The identity in the terms of the mode: the client compares it with its own and skips equal files.
        answer["oid"] = entry.blob.sha256 if large else entry.blob.git_sha1
    return answer


def _large_files(files: list[PreuploadFile], user_agent: str) -> set[str]:
    """Paths of the files that the client is to send as LFS objects.

    Clients that would send those over Xet send everything inside the commit instead, until its body is full:
    then the largest have to go another way.
    """
    if not wants_xet(user_agent):
        return {file.path for file in files if is_large(file.path, file.size)}
    room = int(django_settings.MAX_COMMIT_BODY)
    body = sum(_body_share(file) for file in files)
    large: set[str] = set()
    for file in sorted(files, key=lambda file: file.size, reverse=True):
        if body <= room:
            break
        large.add(file.path)
        body -= _body_share(file)
    return large


def _body_share(file: PreuploadFile) -> int:
    """Bytes that the file takes in a commit's body: base64, and the line around it."""
    return (file.size + 2) // 3 * 4 + len(file.path.encode()) + _LINE_BYTES
