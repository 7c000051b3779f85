from datetime import UTC, datetime

import pytest

from hubsite.accounts.actors import Actor
from hubsite.accounts.models import User
from hubsite.search.queries import SearchRequest, Sort, search
from hubsite.search.request import FacetName
from hubsite.search.schema import facet_values, reader_key, value_of
from tests.hubsite.search.made import document, fill, names


def test_empty_values_are_no_options() -> None:
    values = facet_values(document(1, task="", dataset="", license="", languages=(), size=None, method=""))
    assert values == {
        FacetName.BACKBONE: ("sentence-transformers/all-MiniLM-L6-v2",),
        FacetName.BADGE: ("unscored",),
        FacetName.LANGUAGE: (),
    }


def test_values_that_people_spell_freely_are_folded() -> None:
    values = facet_values(document(1, dataset="IMDB", license="Apache-2.0"))
    assert (values[FacetName.DATASET], values[FacetName.LICENSE]) == (("imdb",), ("apache-2.0",))


@pytest.mark.django_db
def test_extreme_numbers_keep_their_order() -> None:
    fill(
        [
            document(1, downloads=2**40, published_at=datetime(1900, 1, 1, tzinfo=UTC)),
            document(2, downloads=5, value=0.0),
            document(3, downloads=0, published_at=datetime(2300, 1, 1, tzinfo=UTC)),
            document(4, downloads=4, value=1.0),
        ]
    )
    ordered = {sort: names(search(SearchRequest(sort=sort)).hits) for sort in (Sort.DOWNLOADS, Sort.SCORE)}
    assert ordered[Sort.DOWNLOADS] == ["adapter1", "adapter2", "adapter4", "adapter3"]
    assert ordered[Sort.SCORE][:2] == ["adapter4", "adapter2"], "a score of zero is still a score"


def test_an_order_field_gives_its_value_back() -> None:
    assert value_of(7 * 2**32 + 1_700_000_000) == 7


@pytest.mark.django_db
def test_a_private_document_is_filed_under_its_owner(alice: User) -> None:
    fill([document(1, private=True, owner_id=alice.pk)])
    assert reader_key(alice.pk) != reader_key(alice.pk + 1)
    assert search(SearchRequest(viewer=Actor.of_user(alice))).total == 1
