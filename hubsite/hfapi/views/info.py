"""One repository's description (hf_protocol 3.3)."""

from django.http import HttpResponse

from hubsite.hfapi.calls import Call
from hubsite.hfapi.descriptions import INFO_KEYS, INFO_KEYS_WITH_SIZES, describe
from hubsite.hfapi.facts import gather
from hubsite.hfapi.names import repo_of
from hubsite.hfapi.queries import flag, values
from hubsite.hfapi.responses import json_response, set_commit_headers


def info(call: Call, kind: str, repo_id: str, revision: str | None = None) -> HttpResponse:
    """`GET /api/{T}/{id}` and `/revision/{rev}`; `blobs` adds sizes, `expand` leaves only the named keys."""
    facts = gather(repo_of(call, kind, repo_id), revision)
    response = json_response(describe(facts, wanted_keys(call)))
    if facts.commit is not None:
        set_commit_headers(response, facts.commit)
    return response


def wanted_keys(call: Call) -> list[str]:
    """The keys that the query asks for."""
    expand = values(call.request.GET, "expand", "expand[]")
    if expand:
        return expand
    return list(INFO_KEYS_WITH_SIZES if flag(call.request.GET, "blobs") else INFO_KEYS)
