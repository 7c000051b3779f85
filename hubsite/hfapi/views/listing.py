"""Lists of repositories (hf_protocol 3.3)."""

from django.http import HttpResponse

from hubsite.hfapi.calls import Call
from hubsite.hfapi.descriptions import KEYS, describe
from hubsite.hfapi.listing import ListQuery, find_repos, gather_all
from hubsite.hfapi.pagination import cut_page, link_next, page_size, read_cursor
from hubsite.hfapi.queries import flag, values
from hubsite.hfapi.responses import json_response
from hubsite.hfapi.sorting import Sort

_PAGE = 100
_MAX_PAGE = 1000
# Cards are read from the blob store, one by one.
_MAX_PAGE_WITH_CARDS = 100
# Descriptions of one repository have these too, if they are asked for.
_EXTRA_KEYS = frozenset({"siblings", "siblings+blobs", "cardData", "config", "usedStorage"})
_KEYS = tuple(key for key in KEYS if key not in _EXTRA_KEYS)
_FILE_KEYS = frozenset({"siblings", "usedStorage"})


def listing(call: Call, kind: str) -> HttpResponse:
    """`GET /api/{T}`: published repositories and the caller's own; unknown parameters are ignored."""
    keys = _wanted_keys(call)
    query = _query(call, kind)
    with_cards = "cardData" in keys
    size = page_size(call, default=_PAGE, maximum=_MAX_PAGE_WITH_CARDS if with_cards else _MAX_PAGE)
    rows = find_repos(call.actor, query)
    position = read_cursor(call, int, int)
    if position is not None:
        rows = rows.filter(query.sort.behind(position))
    page, following = cut_page(list(rows[: size + 1]), size, query.sort.position)
    facts = gather_all(page, files=not _FILE_KEYS.isdisjoint(keys), readme=with_cards)
    response = json_response([describe(fact, keys) for fact in facts])
    link_next(call, response, following)
    return response


def _query(call: Call, kind: str) -> ListQuery:
    asked = call.request.GET
    return ListQuery(
        is_dataset=kind == "datasets",
        sort=Sort.named(asked.get("sort") or "createdAt", ascending=asked.get("direction") == "1"),
        author=asked.get("author", ""),
        search=tuple(values(asked, "search")),
        tags=tuple(values(asked, "filter", "pipeline_tag")),
        gated=flag(asked, "gated"),
    )


def _wanted_keys(call: Call) -> list[str]:
    asked = call.request.GET
    expand = values(asked, "expand", "expand[]")
    if expand:
        return expand
    full = flag(asked, "full")
    extra = [
        ("siblings", full),
        ("cardData", full or flag(asked, "cardData")),
        ("config", flag(asked, "config")),
    ]
    return [*_KEYS, *(key for key, wanted in extra if wanted)]
