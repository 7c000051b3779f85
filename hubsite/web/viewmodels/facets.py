"""Facets as groups of links."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from hubsite.search.queries import FacetCount, FacetName
from hubsite.web.methods import method_look
from hubsite.web.viewmodels.browse import BrowseState, Link

# Options beyond these are behind "more": a list is read, not scrolled.
_SHOWN = 7
_TITLES = {
    FacetName.TASK: "Task",
    FacetName.BACKBONE: "Backbone",
    FacetName.METHOD: "Method",
    FacetName.LANGUAGE: "Language",
    FacetName.DATASET: "Trained on",
    FacetName.BADGE: "Score",
    FacetName.FILE_SIZE: "Size",
    FacetName.LICENSE: "Licence",
}
_BADGE_LABELS = {"verified": "verified by the hub", "unscored": "not scored yet"}


@dataclass(frozen=True)
class Option:
    """One value of a facet; following `url` switches it. `key` is unique on the page."""

    key: str
    label: str
    # The whole value where the label is short for it.
    title: str
    hue: str
    count: int
    selected: bool
    url: str


@dataclass(frozen=True)
class FacetGroup:
    """`options` are always shown, `more` on request."""

    name: str
    title: str
    options: tuple[Option, ...]
    more: tuple[Option, ...]


def facet_groups(facets: Mapping[FacetName, Sequence[FacetCount]], state: BrowseState) -> list[FacetGroup]:
    """The facets that have any option, in the order of the page."""
    return [_group(facet, facets[facet], state) for facet in _TITLES if facets.get(facet)]


def chosen_links(facets: Mapping[FacetName, Sequence[FacetCount]], state: BrowseState) -> list[Link]:
    """What narrows the list now; each link takes one away."""
    return [
        Link(f"{_TITLES[facet].lower()}: {_label(facet, option)}", state.toggled(facet, option.value))
        for facet in _TITLES
        for option in facets.get(facet, ())
        if option.selected
    ]


def _group(facet: FacetName, counts: Sequence[FacetCount], state: BrowseState) -> FacetGroup:
    options = [_option(facet, one, f"{facet.value}-{index}", state) for index, one in enumerate(counts)]
    first = [one for index, one in enumerate(options) if index < _SHOWN or one.selected]
    rest = [one for one in options if one not in first]
    return FacetGroup(facet.value, _TITLES[facet], tuple(first), tuple(rest))


def _option(facet: FacetName, one: FacetCount, key: str, state: BrowseState) -> Option:
    return Option(
        key=f"facet-{key}",
        label=_label(facet, one),
        title=one.value,
        hue=method_look(one.value).hue if facet is FacetName.METHOD else "",
        count=one.count,
        selected=one.selected,
        url=state.toggled(facet, one.value),
    )


def _label(facet: FacetName, one: FacetCount) -> str:
    if facet is FacetName.METHOD:
        return method_look(one.value).label
    if facet is FacetName.BADGE:
        return _BADGE_LABELS.get(one.value, one.label)
    if facet is FacetName.BACKBONE:
        return one.label.rpartition("/")[2]
    return one.label
