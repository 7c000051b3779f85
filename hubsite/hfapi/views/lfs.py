"""Git LFS with the `basic` transfer (hf_protocol 3.6; git-lfs docs/api)."""

import io
from typing import Any

from django.conf import settings as django_settings
from django.http import HttpResponse, HttpResponseBase

from hubsite.accounts.permissions import Permission, require
from hubsite.core.errors import BadInput, NotFound, Unauthenticated
from hubsite.hfapi.bodies import content_length, read_body, reader_of
from hubsite.hfapi.byte_stream import stream_blob
from hubsite.hfapi.calls import Call
from hubsite.hfapi.lfs_objects import readable_blobs, receive, usable_blobs
from hubsite.hfapi.names import repo_of, url_prefix
from hubsite.hfapi.responses import json_response
from hubsite.hfapi.schemas.fields import parse_object
from hubsite.hfapi.schemas.lfs import Batch, LfsObject
from hubsite.hfapi.signing import MAX_AGE_SECONDS, UploadGrant, read_grant
from hubsite.hfapi.streams import BodyStream
from hubsite.registry.models import Blob, Repo

_JSON = "application/vnd.git-lfs+json"


def batch(call: Call, repo_id: str, kind: str | None = None) -> HttpResponse:
    """`POST …git/info/lfs/objects/batch`: where each object goes, or comes from."""
    repo = repo_of(call, kind or "models", repo_id)
    wanted = Batch.read(parse_object(read_body(call.request), "The body"))
    oids = [item.oid for item in wanted.objects]
    if wanted.operation == "download":
        known = readable_blobs(repo, oids)
        objects = [_download(call, repo, item, known.get(item.oid)) for item in wanted.objects]
    else:
        require(call.actor, Permission.WRITE_REPO, repo)
        known = usable_blobs(call.actor, repo, oids)
        objects = [_upload(call, repo, item, known.get(item.oid)) for item in wanted.objects]
    response = json_response({"transfer": "basic", "hash_algo": "sha256", "objects": objects})
    response["Content-Type"] = _JSON
    return response


def put(call: Call, repo_id: str, oid: str, kind: str | None = None) -> HttpResponse:
    """`PUT` of an object's bytes. The URL carries its own right; clients send no token here."""
    grant = read_grant(call.request.GET.get("grant", ""), oid=oid)
    length = content_length(call.request)
    if length != grant.size:
        raise BadInput(f"The object has {grant.size} bytes, and the body {length}.")
    receive(grant, io.BufferedReader(BodyStream(reader_of(call.request), length)))
    return HttpResponse(status=200)


def verify(call: Call, repo_id: str, kind: str | None = None) -> HttpResponse:
    """`POST …/verify`: whether the object has arrived whole."""
    repo = repo_of(call, kind or "models", repo_id)
    require(call.actor, Permission.WRITE_REPO, repo)
    item = LfsObject.read(parse_object(read_body(call.request), "The body"))
    blob = usable_blobs(call.actor, repo, [item.oid]).get(item.oid)
    if blob is None or blob.size != item.size:
        raise NotFound(f"The object {item.oid} with {item.size} bytes has not arrived; upload it again.")
    return json_response({})


def get(call: Call, repo_id: str, oid: str, kind: str | None = None) -> HttpResponseBase:
    """`GET` of an object that a batch offered for download."""
    blob = readable_blobs(repo_of(call, kind or "models", repo_id), [oid]).get(oid)
    if blob is None:
        raise NotFound(f"This repository has no object {oid}.")
    return stream_blob(blob.pk, blob.size)


def _download(call: Call, repo: Repo, item: LfsObject, blob: Blob | None) -> dict[str, Any]:
    answer: dict[str, Any] = {"oid": item.oid, "size": item.size, "authenticated": True}
    if blob is None:
        return answer | {"error": {"code": 404, "message": "This repository has no such object."}}
    download: dict[str, Any] = {"href": call.absolute(f"{_objects_path(repo)}/{item.oid}")}
    if authorization := call.request.headers.get("Authorization"):
        # The caller's own right, which git-lfs sends on only if it is told to.
        download["header"] = {"Authorization": authorization}
    return answer | {"actions": {"download": download}}


def _upload(call: Call, repo: Repo, item: LfsObject, blob: Blob | None) -> dict[str, Any]:
    answer: dict[str, Any] = {"oid": item.oid, "size": item.size, "authenticated": True}
    if blob is not None and blob.size != item.size:
        return answer | {"error": {"code": 422, "message": f"This object has {blob.size} bytes."}}
    if item.size > django_settings.MAX_FILE_SIZE:
        limit = f"This hub takes files of at most {django_settings.MAX_FILE_SIZE} bytes."
        return answer | {"error": {"code": 413, "message": limit}}
    if blob is not None:
        # No `actions` at all, not null: that means "the bytes are here".
        return answer
    base = _objects_path(repo)
    grant = _grant(call, repo, item).sign()
    upload = {"href": call.absolute(f"{base}/{item.oid}?grant={grant}"), "expires_in": MAX_AGE_SECONDS}
    return answer | {"actions": {"upload": upload, "verify": {"href": call.absolute(f"{base}/verify")}}}


def _grant(call: Call, repo: Repo, item: LfsObject) -> UploadGrant:
    if call.actor.user is None:
        raise Unauthenticated("Send a token to upload.")
    return UploadGrant(user_id=call.actor.user.pk, repo_id=repo.pk, oid=item.oid, size=item.size)


def _objects_path(repo: Repo) -> str:
    return f"/{url_prefix(repo)}{repo.full_name}.git/info/lfs/objects"
