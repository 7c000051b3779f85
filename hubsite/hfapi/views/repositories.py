"""Creating, deleting and hiding repositories (hf_protocol 3.2)."""

from django.http import HttpResponse

from hubsite.core.errors import BadInput, RepoExists
from hubsite.hfapi.bodies import read_body
from hubsite.hfapi.calls import Call
from hubsite.hfapi.errors import error_response
from hubsite.hfapi.names import repo_of, url_prefix
from hubsite.hfapi.responses import json_response
from hubsite.hfapi.schemas.fields import Fields, parse_object
from hubsite.hfapi.schemas.repositories import RepoAddress, read_private
from hubsite.registry.services.repos import create_repo, delete_repo, set_private


def create(call: Call) -> HttpResponse:
    """`POST /api/repos/create`.

    The answer to an existing name carries its `url` too: `exist_ok` reads it there.
    """
    fields = _body(call)
    address = RepoAddress.read(fields)
    prefix = "datasets/" if address.route == "datasets" else ""
    try:
        repo = create_repo(
            call.actor,
            namespace=address.namespace,
            name=address.name,
            kind=address.kind,
            private=read_private(fields) or False,
        )
    except RepoExists as error:
        url = call.absolute(f"/{prefix}{error.repo_name}")
        return error_response(error, anonymous=False, extra={"url": url})
    url = call.absolute(f"/{url_prefix(repo)}{repo.full_name}")
    return json_response({"url": url, "name": repo.full_name, "id": str(repo.pk)})


def delete(call: Call) -> HttpResponse:
    """`DELETE /api/repos/delete`, with a JSON body."""
    address = RepoAddress.read(_body(call))
    namespace = address.namespace or (call.actor.user.username if call.actor.user else "")
    delete_repo(call.actor, repo_of(call, address.route, f"{namespace}/{address.name}"))
    return json_response({})


def settings(call: Call, kind: str, repo_id: str) -> HttpResponse:
    """`PUT /api/{T}/{id}/settings`: `private` or `visibility`.

    Gates are not offered; other settings are ignored.
    """
    fields = _body(call)
    repo = repo_of(call, kind, repo_id)
    if "gated" in fields and not fields.is_false("gated"):
        raise BadInput("This hub has no gated repositories; make it private instead.")
    private = read_private(fields)
    if private is not None:
        set_private(call.actor, repo, private=private)
    return json_response({"private": repo.private, "gated": False})


def _body(call: Call) -> Fields:
    return parse_object(read_body(call.request), "The body")
