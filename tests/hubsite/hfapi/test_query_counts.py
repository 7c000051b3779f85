"""What an answer costs in queries."""

import pytest
from pytest_django import DjangoAssertNumQueries

from hubsite.accounts.models import User
from tests.hubsite.factories import make_commit, make_repo
from tests.hubsite.hfapi.conftest import CARD, Bearer


@pytest.mark.parametrize("files", [3, 60])
def test_queries_do_not_grow_with_the_repository(
    bearer: Bearer, alice: User, files: int, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    repo = make_repo(alice, "cost")
    for number in range(3):
        make_commit(repo, {f"d{index}/f.txt": b"%d" % number for index in range(files)})
    for number in range(files // 10):
        make_commit(make_repo(alice, f"other-{number}"), {"README.md": CARD})
    client = bearer(alice)
    client.get("/api/whoami-v2")  # the first use of a token notes its time
    budgets = {
        "/api/models/alice/cost": 6,
        "/api/models/alice/cost?blobs=true": 6,
        "/api/models/alice/cost/tree/main?recursive=true": 4,
        "/api/models/alice/cost/tree/main?expand=true": 8,
        "/api/models/alice/cost/refs": 3,
        "/api/models/alice/cost/commits/main": 5,
        "/api/models?full=true": 7,
    }
    for path, budget in budgets.items():
        with django_assert_max_num_queries(budget, info=path):
            assert client.get(path).status_code == 200
    with django_assert_max_num_queries(4):
        assert client.head("/alice/cost/resolve/main/d1/f.txt").status_code == 200
