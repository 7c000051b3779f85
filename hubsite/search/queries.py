"""The search that pages and API share: one request, one snapshot of the index, one answer."""

import math
from collections.abc import Iterable, Mapping
from itertools import chain

from tantivy import Order, Query, Searcher, SearchResult

from hubsite.accounts.actors import Actor
from hubsite.search.analysis import clean
from hubsite.search.backbones import find_backbone
from hubsite.search.document import Badge, Hit, VerifiedScore
from hubsite.search.facets import Counts, count, count_under_others, options
from hubsite.search.filters import all_of, chosen, visible
from hubsite.search.labels import facet_labels
from hubsite.search.methods import method_names
from hubsite.search.reader import current_searcher
from hubsite.search.request import MAX_OFFSET, MAX_PAGE_SIZE, FacetName, SearchRequest, Sort
from hubsite.search.response import FacetCount, SearchResponse
from hubsite.search.schema import ORDER_FIELDS, STORED, reader_key
from hubsite.search.words_query import WordsQuery, words_query

__all__ = [
    "MAX_PAGE_SIZE",
    "Badge",
    "FacetCount",
    "FacetName",
    "Hit",
    "SearchRequest",
    "SearchResponse",
    "Sort",
    "VerifiedScore",
    "search",
]

Selection = dict[FacetName, tuple[str, ...]]


def search(request: SearchRequest) -> SearchResponse:
    """One page of the published adapters that `request` asks for; without an index, an empty answer."""
    searcher = current_searcher()
    if searcher is None:
        return SearchResponse(0, (), dict.fromkeys(FacetName, ()), page=max(1, request.page), pages=0)
    seen = visible(_reader_keys(request.viewer))
    words = words_query(request.text, lambda query: _any(searcher, all_of([seen], query)))
    existing = count(searcher, seen, FacetName)
    selection = _selection(request, existing)
    counts = count_under_others(searcher, [seen], words.query if words else None, selection)
    labels = facet_labels(existing)
    matching = all_of([seen, *chosen(selection)], words.query if words else None)
    total, hits = _page(searcher, request, matching, _order(request.sort, words))
    return SearchResponse(
        total=total,
        hits=hits,
        facets=options(existing, counts, selection, labels),
        page=max(1, request.page),
        pages=math.ceil(total / _page_size(request)),
        respelled=words.respelled if words else (),
    )


def _reader_keys(viewer: Actor) -> list[str]:
    return [] if viewer.user is None else [reader_key(viewer.user.pk)]


def _any(searcher: Searcher, query: Query) -> bool:
    return bool(searcher.search(query, limit=1, count=False).hits)


def _selection(request: SearchRequest, existing: Counts) -> Selection:
    """The chosen values in the index's own spelling; backbones and methods also by their aliases."""
    selection: Selection = {}
    for facet in FacetName:
        spelled = {value.casefold(): value for value in existing[facet]}
        values = (_canonical(facet, clean(value), spelled) for value in request.selected(facet))
        selection[facet] = tuple(dict.fromkeys(chain.from_iterable(values)))
    return selection


def _canonical(facet: FacetName, value: str, spelled: Mapping[str, str]) -> Iterable[str]:
    if known := spelled.get(value.casefold()):
        return [known]
    if facet is FacetName.BACKBONE and (backbone := find_backbone(value)):
        return [backbone.name]
    if facet is FacetName.METHOD:
        return sorted(method_names(value) & set(spelled)) or [value]
    return [value]


def _page_size(request: SearchRequest) -> int:
    return max(1, min(request.size, MAX_PAGE_SIZE))


def _page(
    searcher: Searcher, request: SearchRequest, query: Query, order: str | None
) -> tuple[int, tuple[Hit, ...]]:
    size = _page_size(request)
    offset = (max(1, request.page) - 1) * size
    if offset > MAX_OFFSET:
        return _total(searcher.search(query, limit=1)), ()
    result = searcher.search(query, limit=size, offset=offset, order_by_field=order, order=Order.Desc)
    hits = tuple(Hit.from_json(searcher.doc(address)[STORED][0]) for _, address in result.hits)
    return _total(result), hits


def _total(result: SearchResult) -> int:
    return int(result.count)  # type: ignore[attr-defined]  # missing in tantivy's stubs


def _order(sort: Sort, words: WordsQuery | None) -> str | None:
    """The order's field; None is the relevance of the words, and without words the best score comes first."""
    if sort is Sort.RELEVANCE:
        return None if words else ORDER_FIELDS[Sort.SCORE]
    return ORDER_FIELDS[sort]
