import pytest
from pytest_django import DjangoAssertNumQueries

from hubsite.accounts.models import User
from hubsite.registry.models import Repo
from hubsite.registry.services import downloads
from hubsite.search.counters import mark_changed_counts
from hubsite.search.models import OutboxEntry
from hubsite.search.queries import SearchRequest, Sort, search
from hubsite.search.reader import current_searcher
from tests.hubsite.search.made import index_all, make_adapter, names

pytestmark = pytest.mark.django_db


def marked() -> int:
    searcher = current_searcher()
    assert searcher is not None
    return mark_changed_counts(searcher)


def test_downloads_and_likes_come_into_the_order_of_lists(alice: User) -> None:
    first, second = make_adapter(alice, "first"), make_adapter(alice, "second")
    make_adapter(alice, "third")
    index_all()
    for _ in range(2):
        downloads.count(second.repo)
    Repo.objects.filter(pk=first.repo_id).update(likes=4)
    assert marked() == 2
    index_all()
    by_downloads = search(SearchRequest(sort=Sort.DOWNLOADS)).hits
    assert names(by_downloads) == ["second", "third", "first"]
    assert by_downloads[0].downloads == 2
    assert names(search(SearchRequest(sort=Sort.LIKES)).hits) == ["first", "third", "second"]


def test_what_did_not_change_is_left_alone(
    alice: User, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    repos = [make_adapter(alice, f"praise-{number}").repo for number in range(3)]
    Repo.objects.filter(pk__in=[repo.pk for repo in repos]).update(downloads=3)
    waiting = make_adapter(alice, "waiting", published=False)
    downloads.count(waiting.repo)
    index_all()
    with django_assert_max_num_queries(2):
        assert marked() == 0
    assert not OutboxEntry.objects.exists()
