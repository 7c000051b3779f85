import pytest
from tantivy import Query

from hubsite.search.words_query import MAX_WORDS, words_query


def everything(query: Query) -> bool:
    return True


def nothing(query: Query) -> bool:
    return False


def only_similar(query: Query) -> bool:
    return "distance: 1" in repr(query) or "distance: 2" in repr(query)


@pytest.mark.parametrize("text", ["", "  ", "()*", "\0"])
def test_text_without_words_is_no_query(text: str) -> None:
    assert words_query(text, everything) is None


def test_words_that_are_there_are_looked_for_as_they_are_spelled() -> None:
    query = words_query("german sentiment", everything)
    assert query is not None
    assert query.respelled == ()
    assert "distance: 1" not in repr(query.query)


def test_only_the_words_that_are_not_there_are_respelled() -> None:
    query = words_query("germn sentimnets cat", only_similar)
    assert query is not None
    assert query.respelled == ("germn", "sentimnets"), "three letters are too few to guess at"


def test_a_word_like_nothing_stays_as_it_is() -> None:
    query = words_query("xylophone", nothing)
    assert query is not None
    assert query.respelled == ()


def test_a_pasted_page_is_cut() -> None:
    query = words_query(" ".join(f"w{number}" for number in range(500)), everything)
    assert query is not None
    assert f'"w{MAX_WORDS - 1}"' in repr(query.query)
    assert f'"w{MAX_WORDS}"' not in repr(query.query)
