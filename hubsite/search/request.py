"""A search as its caller asks it: plain values, nothing of the index."""

from dataclasses import dataclass, field
from enum import StrEnum

from hubsite.accounts.actors import Actor

# Deep pages cost as much as all before them; nobody reads past the thousandth hit.
MAX_PAGE_SIZE = 100
MAX_OFFSET = 10_000


class Sort(StrEnum):
    """Orders of a result; equal rows come newest first, rows without a score after those with one."""

    RELEVANCE = "relevance"
    SCORE = "score"
    DOWNLOADS = "downloads"
    LIKES = "likes"
    NEWEST = "newest"


class FacetName(StrEnum):
    """The facets, in the order pages show them."""

    TASK = "task"
    DATASET = "dataset"
    LANGUAGE = "language"
    BACKBONE = "backbone"
    METHOD = "method"
    LICENSE = "license"
    BADGE = "badge"
    # Not `size`, which is the number of hits on a page.
    FILE_SIZE = "file_size"


@dataclass(frozen=True)
class SearchRequest:
    """Values of one facet are alternatives, facets narrow each other; `viewer` may see private ones."""

    text: str = ""
    task: tuple[str, ...] = ()
    dataset: tuple[str, ...] = ()
    language: tuple[str, ...] = ()
    # Upstream ids or any known alias of them.
    backbone: tuple[str, ...] = ()
    method: tuple[str, ...] = ()
    license: tuple[str, ...] = ()
    badge: tuple[str, ...] = ()
    file_size: tuple[str, ...] = ()
    sort: Sort = Sort.RELEVANCE
    # Counted from 1; beyond the last page there are no hits.
    page: int = 1
    size: int = 20
    viewer: Actor = field(default_factory=Actor.anonymous)

    def selected(self, facet: FacetName) -> tuple[str, ...]:
        """The values chosen for one facet, without blanks and empty ones."""
        values: tuple[str, ...] = getattr(self, facet.value)
        return tuple(stripped for value in values if (stripped := value.strip()))
