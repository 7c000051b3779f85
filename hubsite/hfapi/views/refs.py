"""Branches and tags (hf_protocol 3.4)."""

from django.http import HttpResponse

from hubsite.hfapi.calls import Call
from hubsite.hfapi.names import repo_of
from hubsite.hfapi.queries import flag
from hubsite.hfapi.responses import json_response
from hubsite.registry.models import RefKind
from hubsite.registry.selectors import revisions

_PREFIXES = {RefKind.BRANCH: "refs/heads/", RefKind.TAG: "refs/tags/"}


def refs(call: Call, kind: str, repo_id: str) -> HttpResponse:
    """`GET /api/{T}/{id}/refs`. `converts` is always there, and always empty."""
    rows = list(revisions.refs(repo_of(call, kind, repo_id)))
    lists: dict[str, list[dict[str, str]]] = {"branches": [], "converts": [], "tags": []}
    for row in rows:
        wanted = lists["branches" if row.kind == RefKind.BRANCH else "tags"]
        ref = _PREFIXES[RefKind(row.kind)] + row.name
        wanted.append({"name": row.name, "ref": ref, "targetCommit": row.commit.sha})
    if flag(call.request.GET, "include_prs"):
        lists["pullRequests"] = []
    return json_response(lists)
