"""Writing a commit (hf_protocol 3.6)."""

from typing import BinaryIO

from django.conf import settings as django_settings
from django.http import HttpResponse

from hubsite.accounts.permissions import Permission, require
from hubsite.core.errors import BadInput, TooLarge
from hubsite.hfapi.bodies import content_length, reader_of
from hubsite.hfapi.calls import Call
from hubsite.hfapi.lfs_objects import usable_blobs
from hubsite.hfapi.names import repo_of, url_prefix
from hubsite.hfapi.ndjson import commit_too_large, read_lines
from hubsite.hfapi.responses import json_response, set_commit_headers
from hubsite.hfapi.schemas import commit as schema
from hubsite.hfapi.transfer import is_large
from hubsite.hfapi.views.preupload import refuse_pull_request
from hubsite.registry.models import Blob, Repo
from hubsite.registry.services import commits
from hubsite.registry.services.blobs import store_blob


def commit(call: Call, kind: str, repo_id: str, revision: str) -> HttpResponse:
    """`POST /api/{T}/{id}/commit/{branch}`: all operations or none.

    Rights are checked before the body is read.
    """
    repo = repo_of(call, kind, repo_id)
    require(call.actor, Permission.WRITE_REPO, repo)
    refuse_pull_request(call)
    body = _read(call)
    made = commits.create_commit(
        call.actor,
        repo,
        branch=revision.removeprefix("refs/heads/"),
        operations=_operations(call, repo, body.operations),
        title=body.header.title,
        message=body.header.message,
        parent=body.header.parent,
    )
    url = call.absolute(f"/{url_prefix(repo)}{repo.full_name}/commit/{made.sha}")
    response = json_response(
        {"success": True, "commitUrl": url, "commitOid": made.sha, "hookOutput": "", "hubState": made.state}
    )
    set_commit_headers(response, made)
    return response


def _read(call: Call) -> schema.CommitBody:
    """The parsed body. Each file goes to the blob store while it arrives."""
    limit = int(django_settings.MAX_COMMIT_BODY)
    if content_length(call.request) > limit:
        raise TooLarge(commit_too_large(limit))

    def store(stream: BinaryIO) -> Blob:
        return store_blob(stream, size=None)

    return schema.read_commit(read_lines(reader_of(call.request), store, limit=limit))


def _operations(call: Call, repo: Repo, wanted: list[schema.Operation]) -> list[commits.Operation]:
    oids = [operation.oid for operation in wanted if isinstance(operation, schema.LargeFile)]
    blobs = usable_blobs(call.actor, repo, oids)
    return [_operation(operation, blobs) for operation in wanted]


def _operation(operation: schema.Operation, blobs: dict[str, Blob]) -> commits.Operation:
    match operation:
        case schema.InlineFile(path, blob):
            return commits.AddFile(path, blob, lfs=is_large(path, blob.size))
        case schema.LargeFile(path, oid, size):
            blob_of = blobs.get(oid)
            if blob_of is None or size not in (None, blob_of.size):
                raise BadInput(f"The object {oid} of {path!r} is not here; upload it before the commit.")
            return commits.AddFile(path, blob_of, lfs=True)
        case schema.RemovedFile(path):
            return commits.DeleteFile(path)
        case schema.RemovedFolder(path):
            return commits.DeleteFolder(path)
        case schema.CopiedFile(path, source_path, source_revision):
            return commits.CopyFile(path, source_path, source_revision)
