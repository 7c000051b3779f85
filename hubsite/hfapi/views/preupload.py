"""What an uploader does with each file (hf_protocol 3.6 and 3.7, way A)."""

from typing import Any

from django.conf import settings as django_settings
from django.http import HttpResponse

from hubsite.accounts.permissions import Permission, require
from hubsite.core.errors import BadInput, EmptyRepo
from hubsite.hfapi.bodies import read_body
from hubsite.hfapi.calls import Call
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


def preupload(call: Call, kind: str, repo_id: str, revision: str) -> HttpResponse:
    """`POST /api/{T}/{id}/preupload/{rev}`: mode and present identity of each file."""
    repo = repo_of(call, kind, repo_id)
    require(call.actor, Permission.WRITE_REPO, repo)
    refuse_pull_request(call)
    wanted = Preupload.read(parse_object(read_body(call.request), "The body"))
    inline = wants_xet(call.request.headers.get("User-Agent", ""))
    if inline:
        _check_inline_size(wanted.files)
    present = _present(repo, revision, [file.path for file in wanted.files])
    rules = IgnoreRules(_ignore_text(wanted, present))
    answers = [
        _answer(file, present.get(file.path), inline=inline, ignored=rules.ignores(file.path))
        for file in wanted.files
    ]
    return json_response({"files": answers})


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


def _answer(file: PreuploadFile, entry: TreeEntry | None, *, inline: bool, ignored: bool) -> dict[str, Any]:
    large = is_large(file.path, file.size) and not inline
    answer: dict[str, Any] = {
        "path": file.path,
        "uploadMode": "lfs" if large else "regular",
        "shouldIgnore": ignored,
    }
    if entry is not None:
        # The identity in the terms of the mode: the client compares it with its own and skips equal files.
        answer["oid"] = entry.blob.sha256 if large else entry.blob.git_sha1
    return answer


def _check_inline_size(files: list[PreuploadFile]) -> None:
    """Refuses before anything is sent what would be too large to commit. Base64 makes four bytes of three."""
    limit = int(django_settings.MAX_COMMIT_BODY)
    total = sum(file.size for file in files) // 3 * 4
    if total > limit:
        largest = max(files, key=lambda file: file.size)
        raise BadInput(
            f"These files come to {total // 1024**2} MB in one commit, and this hub takes "
            f"{limit // 1024**2} MB (the largest is {largest.path} with {largest.size // 1024**2} MB): "
            "upload them in several commits, or a larger file with huggingface_hub<1.20, which sends it as a "
            "Git LFS object."
        )
