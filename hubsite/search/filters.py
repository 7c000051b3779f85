"""Who may see what, and which facets are chosen, as clauses of the query."""

from collections.abc import Iterable, Mapping

from tantivy import Occur, Query

from hubsite.search.request import FacetName
from hubsite.search.schema import PUBLIC, READERS, schema

Selection = Mapping[FacetName, tuple[str, ...]]


def visible(readers: Iterable[str]) -> Query:
    """Public documents, and the private ones of those `readers` terms."""
    return Query.term_set_query(schema(), READERS, [PUBLIC, *readers])


def chosen(selection: Selection, *, without: FacetName | None = None) -> list[Query]:
    """One clause per facet with a selection, its values being alternatives; `without` leaves one out."""
    return [
        Query.term_set_query(schema(), facet.value, list(values))
        for facet, values in selection.items()
        if values and facet is not without
    ]


def all_of(filters: Iterable[Query], words: Query | None = None) -> Query:
    """Documents that match everything; only `words` count for the order."""
    silent = [(Occur.Must, Query.const_score_query(query, 0.0)) for query in filters]
    return Query.boolean_query([*silent, (Occur.Must, words)] if words else silent)
