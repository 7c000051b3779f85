"""Files by revision and path (hf_protocol 3.5)."""

from django.http import HttpResponse, HttpResponseBase, HttpResponseRedirect

from adapter_lib.spec.manifest import CONFIG_FILE
from hubsite.hfapi.byte_stream import stream_blob
from hubsite.hfapi.calls import Call
from hubsite.hfapi.file_headers import etag_of, set_file_headers
from hubsite.hfapi.names import file_of, repo_of
from hubsite.hfapi.ranges import requested_range
from hubsite.registry.models import Commit, RepoKind
from hubsite.registry.selectors.trees import FileItem
from hubsite.registry.services import downloads
from hubsite.storage.current import blob_store


def resolve(call: Call, repo_id: str, rest: str, kind: str | None = None) -> HttpResponseBase:
    """HEAD and GET of `/{prefix}{id}/resolve/{rev}/{path}`; `rest` is revision and path, decoded once.

    HEAD always answers itself; a GET may be sent on to where the store serves the bytes.
    """
    commit, file = file_of(repo_of(call, kind or "models", repo_id), rest)
    if call.request.method == "HEAD":
        response: HttpResponseBase = HttpResponse()
        response["Content-Length"] = str(file.size)
    else:
        response = _get(call, commit, file)
    set_file_headers(response, commit, file)
    return response


def _get(call: Call, commit: Commit, file: FileItem) -> HttpResponseBase:
    headers = call.request.headers
    if etag_of(file) in headers.get("If-None-Match", ""):
        return HttpResponse(status=304)
    part = requested_range(headers.get("Range"), headers.get("If-Range"), etag=etag_of(file), total=file.size)
    if part is None:
        _count_download(commit, file)
    elsewhere = blob_store().presigned_get(file.sha256, file.path.rpartition("/")[2])
    return HttpResponseRedirect(elsewhere) if elsewhere else stream_blob(file.sha256, file.size, part)


def _count_download(commit: Commit, file: FileItem) -> None:
    """One whole GET of an adapter's configuration is one download: every loader fetches it, and once.

    HEADs are not counted: clients with a filled cache send those alone.
    """
    if commit.repo.kind == RepoKind.ADAPTER and file.path == CONFIG_FILE:
        downloads.count(commit.repo)
