"""Pages by cursor, announced in `Link: <url>; rel="next"` (hf_protocol 3.3)."""

import base64
import binascii
import json
from collections.abc import Callable, Sequence
from typing import TypeVar
from urllib.parse import quote

from django.http import HttpResponse

from hubsite.core.errors import BadInput
from hubsite.hfapi.calls import Call
from hubsite.hfapi.schemas.fields import MAX_INTEGER
from hubsite.hfapi.text import is_storable

Row = TypeVar("Row")
CursorValue = list[str | int]
_MAX_CURSOR = 2000


def encode_cursor(value: CursorValue) -> str:
    """A position as URL-safe text."""
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


def read_cursor(call: Call, *kinds: type) -> CursorValue | None:
    """The position in the query's `cursor`, whose parts have the given types; None on the first page.

    Raises `BadInput` for one that no answer of ours contained.
    """
    text = call.request.GET.get("cursor")
    if text is None:
        return None
    try:
        value = json.loads(base64.urlsafe_b64decode(text[:_MAX_CURSOR] + "=" * (-len(text) % 4)))
    except (ValueError, binascii.Error, RecursionError):
        value = None
    if not isinstance(value, list) or [type(part) for part in value] != list(kinds) or not _is_usable(value):
        raise BadInput("The cursor is not valid; start again with the first page.")
    return value


def _is_usable(value: CursorValue) -> bool:
    return all(is_storable(part) if isinstance(part, str) else abs(part) <= MAX_INTEGER for part in value)


def cut_page(
    rows: Sequence[Row], size: int, cursor_of: Callable[[Row], CursorValue]
) -> tuple[Sequence[Row], str]:
    """The first `size` of up to `size + 1` rows, and the cursor behind them, "" on the last page."""
    page = rows[:size]
    return page, encode_cursor(cursor_of(page[-1])) if len(rows) > size else ""


def link_next(call: Call, response: HttpResponse, cursor: str) -> None:
    """Announces the page behind `cursor`: the request's own URL with the cursor put in."""
    if not cursor:
        return
    query = call.request.GET.copy()
    query["cursor"] = cursor
    url = call.absolute(f"{quote(call.request.path)}?{query.urlencode()}")
    response["Link"] = f'<{url}>; rel="next"'


def page_size(call: Call, *, default: int, maximum: int) -> int:
    """The query's `limit`, which for the server is a page size, between 1 and `maximum`."""
    text = call.request.GET.get("limit", "")
    if not text:
        return default
    if not (text.isascii() and text.isdigit() and len(text) <= 9):
        raise BadInput("limit must be a whole number.")
    return min(max(int(text), 1), maximum)
