"""Who the caller is (hf_protocol 3.1)."""

from typing import Any

from django.http import HttpResponse

from hubsite.accounts.permissions import Permission, require
from hubsite.core.errors import Unauthenticated
from hubsite.hfapi.calls import Call
from hubsite.hfapi.names import repo_of
from hubsite.hfapi.responses import json_response


def whoami(call: Call) -> HttpResponse:
    """`GET /api/whoami-v2`. Clients check a new token with it."""
    user, token = call.actor.user, call.actor.token
    if user is None:
        raise Unauthenticated(
            "Send a token as `Authorization: Bearer <token>`; your settings page makes one."
        )
    access = (
        {"displayName": token.name, "role": token.scope} if token else {"displayName": "", "role": "write"}
    )
    body: dict[str, Any] = {
        "type": "user",
        "id": str(user.pk),
        "name": user.username,
        "fullname": user.get_full_name() or user.username,
        "email": user.email or None,
        "isPro": False,
        "orgs": [],
        "auth": {"type": "access_token", "accessToken": access},
    }
    return json_response(body)


def auth_check(call: Call, kind: str, repo_id: str, write: str | None = None) -> HttpResponse:
    """`GET /api/{T}/{id}/auth-check[/write]`: 200, or the error that reading or writing would meet."""
    require(
        call.actor, Permission.WRITE_REPO if write else Permission.READ_REPO, repo_of(call, kind, repo_id)
    )
    return json_response({})
