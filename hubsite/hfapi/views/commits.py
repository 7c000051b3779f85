"""The history of a revision (hf_protocol 3.4)."""

from html import escape
from typing import Any

from django.http import HttpResponse

from hubsite.core.errors import EmptyRepo
from hubsite.hfapi.calls import Call
from hubsite.hfapi.history import line_of
from hubsite.hfapi.names import commit_of, repo_of
from hubsite.hfapi.pagination import cut_page, link_next, page_size, read_cursor
from hubsite.hfapi.queries import values
from hubsite.hfapi.responses import json_response, timestamp
from hubsite.registry.models import Commit

_PAGE = 50
_MAX_PAGE = 1000


def commits(call: Call, kind: str, repo_id: str, revision: str) -> HttpResponse:
    """`GET /api/{T}/{id}/commits/{rev}`, newest first, in pages.

    `expand[]=formatted` adds the texts as HTML.
    """
    try:
        line = line_of(commit_of(repo_of(call, kind, repo_id), revision))
    except EmptyRepo:
        return json_response([])
    cursor = read_cursor(call, int)
    start = int(cursor[0]) if cursor else 0
    size = page_size(call, default=_PAGE, maximum=_MAX_PAGE)
    page, following = cut_page(line[start : start + size + 1], size, lambda _pk: [start + size])
    rows = Commit.objects.select_related("author").in_bulk(list(page))
    formatted = "formatted" in values(call.request.GET, "expand[]", "expand")
    response = json_response([_body(rows[pk], formatted=formatted) for pk in page])
    link_next(call, response, following)
    return response


def _body(commit: Commit, *, formatted: bool) -> dict[str, Any]:
    body: dict[str, Any] = {
        "id": commit.sha,
        "title": commit.title,
        "message": commit.message,
        "date": timestamp(commit.created_at),
        "authors": [{"user": commit.author.username}],
        "hubState": commit.state,
    }
    if formatted:
        body["formatted"] = {"title": escape(commit.title), "message": escape(commit.message)}
    return body
