"""The home page over a real index."""

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from hubsite.accounts.models import User
from tests.functional import gallery
from tests.functional.exhibits import FEW

# The session's user comes on top where somebody is signed in.
_QUERIES = 3


def _show(client: Client, query: str = "") -> str:
    response = client.get(f"/{query}")
    assert response.status_code == 200
    return response.content.decode()


def test_an_empty_hub_says_what_to_do(client: Client, db: None) -> None:
    assert "No adapter has been published yet" in _show(client)
    gallery.index()
    html = _show(client)
    assert "0 adapters" in html
    assert "Upload an adapter" in html


def test_an_index_that_is_not_there_is_not_an_empty_hub(client: Client, db: None) -> None:
    gallery.publish(FEW[0], gallery.prepare())
    assert "The search index is being built" in _show(client)
    assert "Nothing matches" in _show(client, "?q=x")


def test_rows_say_what_people_compare(client: Client, db: None) -> None:
    gallery.fill()
    html = _show(client)
    assert "reviews-houlsby" in html
    assert "Double bottleneck ÷8 · mh,ffn" in html
    assert "88.3" in html
    assert "accuracy 88.3 (95 % interval 84.5 to 91.8)" in html
    assert "9.8k downloads" in html
    assert "no score yet" in html
    assert html.index("reviews-parallel") < html.index("reviews-houlsby") < html.index("</span>formality")


def test_words_facets_and_order_narrow_and_sort(client: Client, db: None) -> None:
    gallery.fill()
    assert "2 adapters for" in _show(client, "?q=reviews")
    narrowed = _show(client, "?method=lora&task=sentiment")
    assert "tweets-tiny-rank" in narrowed
    assert "reviews-houlsby" not in narrowed
    assert "task: Sentiment analysis" in narrowed
    newest = _show(client, "?sort=newest")
    assert newest.index("tweets-tiny-rank") < newest.index("reviews-parallel")
    assert "Nothing matches" in _show(client, "?task=ner")


def test_a_search_keeps_the_filters(client: Client, db: None) -> None:
    gallery.fill()
    html = _show(client, "?task=sentiment&sort=newest")
    assert '<input type="hidden" name="task" value="sentiment">' in html
    assert '<input type="hidden" name="sort" value="newest">' in html


def test_private_adapters_are_their_owners_alone(as_alice: Client, as_bob: Client, client: Client) -> None:
    gallery.fill()
    assert "unreleased-experiment" in _show(as_alice)
    assert "private" in _show(as_alice)
    assert "unreleased-experiment" not in _show(as_bob)
    assert "unreleased-experiment" not in _show(client)


def test_pages_and_what_lies_beyond(client: Client, alice: User) -> None:
    gallery.fill()
    assert "This page is beyond the last" in _show(client, "?page=9")
    assert "This page is beyond the last" in _show(client, "?page=999999")


def test_the_number_of_queries_does_not_grow_with_the_rows(
    client: Client, db: None, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    gallery.fill()
    with django_assert_max_num_queries(_QUERIES):
        _show(client)
    with django_assert_max_num_queries(_QUERIES):
        _show(client, "?q=reviews&task=sentiment")


@pytest.mark.parametrize("query", ["?q=%22", "?q=AND+OR+%28", "?q=%00", "?task=%F0%9F%A6%8A", "?page=²"])
def test_odd_addresses_are_no_fault_of_ours(client: Client, db: None, query: str) -> None:
    gallery.fill(adapters=FEW[:1])
    _show(client, query)


def test_searched_words_are_escaped(client: Client, db: None) -> None:
    gallery.index()
    html = _show(client, "?q=<script>alert(1)</script>&task=<b>x</b>")
    assert "<script>alert" not in html
    assert "<b>x" not in html
