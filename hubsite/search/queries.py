"""The search that pages and API share."""

from hubsite.search.document import Badge, Hit, VerifiedScore
from hubsite.search.request import FacetName, SearchRequest, Sort
from hubsite.search.response import FacetCount, SearchResponse

__all__ = [
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


def search(request: SearchRequest) -> SearchResponse:
    """One page of the published adapters that `request` asks for; without an index, an empty answer."""
    empty: tuple[FacetCount, ...] = ()
    return SearchResponse(total=0, hits=(), facets=dict.fromkeys(FacetName, empty), page=request.page, pages=0)
