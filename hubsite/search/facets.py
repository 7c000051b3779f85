"""Facet options with exact counts, each facet's under the selections of all the others."""

from collections.abc import Iterable, Mapping
from typing import Any

from tantivy import Query, Searcher

from hubsite.search.filters import Selection, all_of, chosen
from hubsite.search.request import FacetName
from hubsite.search.response import FacetCount

# More different values than any facet but the backbone will have; the rarest beyond it are not offered.
_MAX_VALUES = 1000

Counts = dict[FacetName, dict[str, int]]


def count(searcher: Searcher, query: Query, facets: Iterable[FacetName]) -> Counts:
    """How many documents of `query` have each value of each facet."""
    names = list(facets)
    asked: dict[str, Any] = {
        name.value: {"terms": {"field": name.value, "size": _MAX_VALUES, "segment_size": _MAX_VALUES * 10}}
        for name in names
    }
    answer = searcher.aggregate(query, asked)
    return {
        name: {bucket["key"]: bucket["doc_count"] for bucket in answer[name.value]["buckets"]}
        for name in names
    }


def count_under_others(
    searcher: Searcher, base: Iterable[Query], words: Query | None, selection: Selection
) -> Counts:
    """Counts of all facets: one pass for those without a selection, one for each that has one."""
    base = list(base)
    free = [facet for facet in FacetName if not selection.get(facet)]
    counts = count(searcher, all_of([*base, *chosen(selection)], words), free)
    for facet in FacetName:
        if selection.get(facet):
            query = all_of([*base, *chosen(selection, without=facet)], words)
            counts |= count(searcher, query, [facet])
    return counts


def options(
    existing: Counts, counts: Counts, selection: Selection, labels: Mapping[FacetName, Mapping[str, str]]
) -> dict[FacetName, tuple[FacetCount, ...]]:
    """Every value that exists for this viewer or is selected; most frequent first, then by label."""
    return {
        facet: _options(existing[facet], counts[facet], selection.get(facet, ()), labels.get(facet, {}))
        for facet in FacetName
    }


def _options(
    existing: Mapping[str, int],
    counts: Mapping[str, int],
    selected: tuple[str, ...],
    labels: Mapping[str, str],
) -> tuple[FacetCount, ...]:
    values = dict.fromkeys((*existing, *selected))
    found = (
        FacetCount(value, labels.get(value, value), counts.get(value, 0), selected=value in selected)
        for value in values
    )
    return tuple(sorted(found, key=lambda option: (-option.count, option.label.casefold())))
