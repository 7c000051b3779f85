"""Orders and positions in them."""

from datetime import UTC, datetime

import pytest

from hubsite.accounts.models import User
from hubsite.core.errors import BadInput
from hubsite.hfapi.sorting import Sort
from hubsite.registry.models import Repo
from tests.hubsite.factories import make_repo


def test_a_position_keeps_microseconds() -> None:
    repo = Repo(pk=7, created_at=datetime(2026, 11, 23, 1, 2, 3, 456_789, UTC), downloads=5)
    assert Sort.named("createdAt", ascending=False).position(repo) == [1_795_395_723_456_789, 7]
    assert Sort.named("downloads", ascending=False).position(repo) == [5, 7]


@pytest.mark.parametrize("ascending", [True, False])
def test_what_is_behind_a_position(alice: User, ascending: bool) -> None:
    for number, downloads in enumerate([3, 1, 3, 2]):
        repo = make_repo(alice, f"r{number}")
        Repo.objects.filter(pk=repo.pk).update(downloads=downloads)
    sort = Sort.named("downloads", ascending=ascending)
    rows = list(Repo.objects.order_by(*sort.columns))
    for index, row in enumerate(rows):
        behind = Repo.objects.filter(sort.behind(sort.position(row))).order_by(*sort.columns)
        assert list(behind) == rows[index + 1 :]


def test_unknown_orders_and_moments_are_refused() -> None:
    with pytest.raises(BadInput, match="createdAt"):
        Sort.named("name", ascending=False)
    for moment in (-1, 2**62):
        with pytest.raises(BadInput, match="first page"):
            Sort.named("createdAt", ascending=False).behind([moment, 1])
