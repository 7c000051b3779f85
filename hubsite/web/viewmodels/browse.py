"""The state of a browse page is its address: parsed here, and written back into every link on it."""

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlencode

from django.http import QueryDict
from django.urls import reverse

from hubsite.accounts.actors import Actor
from hubsite.search.queries import FacetName, SearchRequest, Sort
from hubsite.search.request import MAX_OFFSET

PAGE_SIZE = 20
_MAX_TEXT = 200
_MAX_CHOICES = 20
_SORT_LABELS = {
    Sort.RELEVANCE: "best match",
    Sort.SCORE: "verified score",
    Sort.DOWNLOADS: "downloads",
    Sort.NEWEST: "newest",
}


@dataclass(frozen=True)
class Link:
    """A way to a neighbouring state; `current` where it is this one."""

    label: str
    url: str
    current: bool = False


@dataclass(frozen=True)
class BrowseState:
    """What is asked for. `chosen` holds the selected values of each facet that has any."""

    text: str
    chosen: Mapping[FacetName, tuple[str, ...]]
    sort: Sort
    page: int

    @classmethod
    def parse(cls, query: QueryDict) -> "BrowseState":
        """From an address; what makes no sense there is left out rather than refused."""
        text = query.get("q", "").replace("\0", "").strip()[:_MAX_TEXT]
        chosen = {
            facet: tuple(dict.fromkeys(values))
            for facet in FacetName
            if (values := [v.strip() for v in query.getlist(facet.value)[:_MAX_CHOICES] if v.strip()])
        }
        return cls(text, chosen, _sort(query.get("sort", ""), text), _page(query.get("page", "")))

    def request(self, viewer: Actor) -> SearchRequest:
        """The same as a search."""
        values = {facet.value: chosen for facet, chosen in self.chosen.items()}
        return SearchRequest(
            text=self.text, sort=self.sort, page=self.page, size=PAGE_SIZE, viewer=viewer, **values
        )

    @property
    def is_empty(self) -> bool:
        """Whether nothing narrows the list."""
        return not self.text and not self.chosen

    def url(self, *, page: int = 1) -> str:
        """The address of this state; defaults are left out of it."""
        pairs = [("q", self.text)] if self.text else []
        pairs += self.kept()
        if page > 1:
            pairs.append(("page", str(page)))
        return reverse("browse") + (f"?{urlencode(pairs)}" if pairs else "")

    def kept(self) -> list[tuple[str, str]]:
        """What a new search text keeps: the facets and a sort order that was chosen."""
        pairs = [(facet.value, value) for facet, values in self.chosen.items() for value in values]
        if self.sort is not _default_sort(self.text):
            pairs.append(("sort", self.sort.value))
        return pairs

    def toggled(self, facet: FacetName, value: str) -> str:
        """The address with one option of a facet switched on or off."""
        values = self.chosen.get(facet, ())
        new = tuple(v for v in values if v != value) if value in values else (*values, value)
        chosen = {**self.chosen, facet: new}
        return BrowseState(self.text, {k: v for k, v in chosen.items() if v}, self.sort, 1).url()

    def sorts(self) -> list[Link]:
        """The orders to choose from; best match only beside a search text."""
        return [
            Link(label, BrowseState(self.text, self.chosen, sort, 1).url(), sort is self.sort)
            for sort, label in _SORT_LABELS.items()
            if sort is not Sort.RELEVANCE or self.text
        ]

    def pages(self, last: int) -> list[Link | None]:
        """The first page, the last that search gives, and those around this one; None stands for a gap."""
        last = min(last, MAX_OFFSET // PAGE_SIZE + 1)
        near = {1, last, *range(self.page - 2, self.page + 3)}
        links: list[Link | None] = []
        for number in sorted(n for n in near if 1 <= n <= last):
            if links and links[-1] is not None and int(links[-1].label) != number - 1:
                links.append(None)
            links.append(Link(str(number), self.url(page=number), number == self.page))
        return links


def _default_sort(text: str) -> Sort:
    return Sort.RELEVANCE if text else Sort.SCORE


def _sort(name: str, text: str) -> Sort:
    known = {sort.value: sort for sort in _SORT_LABELS}
    sort = known.get(name, _default_sort(text))
    return Sort.SCORE if sort is Sort.RELEVANCE and not text else sort


def _page(text: str) -> int:
    return max(1, int(text)) if text.isascii() and text.isdecimal() and len(text) < 7 else 1
