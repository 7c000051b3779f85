"""What a search answers."""

from collections.abc import Mapping
from dataclasses import dataclass

from hubsite.search.document import Hit
from hubsite.search.request import FacetName


@dataclass(frozen=True)
class FacetCount:
    """One option of a facet: `count` documents would be found with it under all other facets' selections.

    Zero means it exists on the hub, but nothing matches it now.
    """

    value: str
    label: str
    count: int
    selected: bool


@dataclass(frozen=True)
class SearchResponse:
    """One page of hits, the exact total, and every facet's options: most frequent first, empty ones last."""

    total: int
    hits: tuple[Hit, ...]
    facets: Mapping[FacetName, tuple[FacetCount, ...]]
    page: int
    pages: int
    # Words of the text that stand nowhere on the hub and were matched by similar spelling.
    respelled: tuple[str, ...] = ()
