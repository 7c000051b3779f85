"""The words of a search box as an index query. Pure: what the index holds is asked through one function."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tantivy import Occur, Query

from hubsite.search.analysis import query_words
from hubsite.search.schema import TEXT_FIELDS, schema

# Beyond this nobody types; it keeps a pasted page from becoming a query of thousands of clauses.
MAX_TEXT_LENGTH = 300
MAX_WORDS = 16

_PREFIX_WEIGHT = 0.5
_SPELLING_WEIGHT = 0.2
_PHRASE_WEIGHT = 2.0
_PHRASE_SLOP = 1
# Among fields that hold one word the best one decides, the others add a little.
_TIE_BREAKER = 0.1
# From how many letters on one and two typing errors are forgiven.
_ONE_ERROR_FROM, _TWO_ERRORS_FROM = 4, 8


@dataclass(frozen=True)
class WordsQuery:
    """The query, and the words that had to be matched by similar spelling."""

    query: Query
    respelled: tuple[str, ...]


def words_query(text: str, found: Callable[[Query], bool]) -> WordsQuery | None:
    """Every word must occur, the last one perhaps unfinished; words side by side weigh more.

    `found` says whether a query matches anything the viewer may see: a word that matches nothing as it is
    spelled is looked for in similar spelling. None if the text has no words.
    """
    words = query_words(text[:MAX_TEXT_LENGTH])[:MAX_WORDS]
    if not words:
        return None
    clauses: list[tuple[Occur, Query]] = [(Occur.Should, phrase) for phrase in _phrases(words)]
    respelled = []
    for position, word in enumerate(words, start=1):
        query = _exact(word, unfinished=position == len(words))
        if _errors(word) and not found(query):
            similar = _similar(word, unfinished=position == len(words))
            if found(similar):
                query = similar
                respelled.append(word)
        clauses.append((Occur.Must, query))
    return WordsQuery(Query.boolean_query(clauses), tuple(respelled))


def _exact(word: str, *, unfinished: bool) -> Query:
    queries = [_weighted(field, Query.term_query(schema(), field, word)) for field in TEXT_FIELDS]
    if unfinished:
        queries += [_weighted(field, _prefix(field, word), _PREFIX_WEIGHT) for field in TEXT_FIELDS]
    return Query.disjunction_max_query(queries, _TIE_BREAKER)


def _prefix(field: str, word: str) -> Query:
    return Query.fuzzy_term_query(schema(), field, word, distance=0, prefix=True)


def _similar(word: str, *, unfinished: bool) -> Query:
    queries = [
        _weighted(
            field,
            Query.fuzzy_term_query(schema(), field, word, distance=_errors(word), prefix=unfinished),
            _SPELLING_WEIGHT,
        )
        for field in TEXT_FIELDS
    ]
    return Query.disjunction_max_query(queries, _TIE_BREAKER)


def _errors(word: str) -> int:
    return (len(word) >= _ONE_ERROR_FROM) + (len(word) >= _TWO_ERRORS_FROM)


def _phrases(words: Sequence[str]) -> list[Query]:
    if len(words) == 1:
        return []
    return [
        _weighted(field, Query.phrase_query(schema(), field, list(words), _PHRASE_SLOP), _PHRASE_WEIGHT)
        for field in TEXT_FIELDS
    ]


def _weighted(field: str, query: Query, weight: float = 1.0) -> Query:
    return Query.boost_query(query, TEXT_FIELDS[field] * weight)
