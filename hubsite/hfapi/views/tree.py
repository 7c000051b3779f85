"""Folder listings and single paths (hf_protocol 3.4)."""

from bisect import bisect_right
from urllib.parse import parse_qs

from django.http import HttpResponse

from hubsite.core.errors import BadInput, EmptyRepo, TooLarge
from hubsite.hfapi.bodies import read_body
from hubsite.hfapi.calls import Call
from hubsite.hfapi.names import commit_of, repo_of, revision_and_path
from hubsite.hfapi.pagination import cut_page, link_next, page_size, read_cursor
from hubsite.hfapi.queries import TRUE_VALUES, flag
from hubsite.hfapi.responses import json_response, set_commit_headers
from hubsite.hfapi.tree_items import bodies
from hubsite.registry.selectors.trees import list_tree

_PAGE = 1000
_PAGE_WITH_COMMITS = 50
_MAX_PATHS = 1000


def tree(call: Call, kind: str, repo_id: str, rest: str) -> HttpResponse:
    """`GET /api/{T}/{id}/tree/{rev}[/{path}]?recursive=&expand=`; the root of an empty repository is `[]`."""
    repo = repo_of(call, kind, repo_id)
    try:
        commit, path = revision_and_path(repo, rest)
    except EmptyRepo:
        return json_response([])
    expand, recursive = flag(call.request.GET, "expand"), flag(call.request.GET, "recursive")
    items = list_tree(commit, path, recursive=recursive)
    whole = list_tree(commit, path, recursive=True) if expand and not recursive else items
    cursor = read_cursor(call, str)
    start = bisect_right(items, str(cursor[0]), key=lambda item: item.path) if cursor else 0
    size = page_size(call, default=_PAGE, maximum=_PAGE) if not expand else _PAGE_WITH_COMMITS
    page, following = cut_page(items[start : start + size + 1], size, lambda item: [item.path])
    response = json_response(bodies(page, commit=commit, tree=whole, expand=expand))
    set_commit_headers(response, commit)
    link_next(call, response, following)
    return response


def paths_info(call: Call, kind: str, repo_id: str, revision: str) -> HttpResponse:
    """`POST /api/{T}/{id}/paths-info/{rev}` with a form: entries for those of its `paths` that exist."""
    form = _form(call)
    try:
        commit = commit_of(repo_of(call, kind, repo_id), revision)
    except EmptyRepo:
        return json_response([])
    wanted = {path.strip("/") for path in form.get("paths", [])}
    whole = list_tree(commit, recursive=True)
    expand = form.get("expand", [""])[0].lower() in TRUE_VALUES
    items = [item for item in whole if item.path in wanted]
    response = json_response(bodies(items, commit=commit, tree=whole, expand=expand))
    set_commit_headers(response, commit)
    return response


def _form(call: Call) -> dict[str, list[str]]:
    """The form, parsed here: Django refuses as many fields as the 1,000 paths that are allowed."""
    raw = read_body(call.request)
    if raw.count(b"paths=") > _MAX_PATHS:
        raise TooLarge(f"At most {_MAX_PATHS} paths can be asked for at once.")
    try:
        return parse_qs(raw.decode(), keep_blank_values=True, max_num_fields=_MAX_PATHS + 10)
    except ValueError:
        raise BadInput("The body is not a form in UTF-8 with at most 1000 paths.") from None
