import pytest
from pytest_django import DjangoAssertNumQueries

from hubsite.accounts.models import Scope, User
from tests.hubsite.api.asking import get
from tests.hubsite.factories import make_token
from tests.hubsite.search.made import BERT, give_score, index_all, make_adapter, make_suite

pytestmark = pytest.mark.django_db


def ids(answer: dict[str, list[dict[str, str]]]) -> list[str]:
    return [row["id"] for row in answer["results"]]


def test_nothing_is_there_before_the_first_index() -> None:
    answer = get("/search", q="lora")
    assert (answer["total"], answer["results"]) == (0, [])


def test_a_row_has_all_that_lists_show(alice: User) -> None:
    commit = make_adapter(alice, "praise", datasets=["imdb"])
    give_score(commit, make_suite(alice), 0.9)
    index_all()
    answer = get("/search", q="praise")
    row = answer["results"][0]
    assert answer["total"] == 1
    assert row["id"] == "alice/praise"
    assert (row["task"], row["method"], row["config"], row["dataset"]) == (
        "sentiment",
        "lora",
        "r=8 q,v",
        "imdb",
    )
    assert row["score"]["value"] == 0.9
    assert (row["score"]["low"], row["score"]["majority"], row["badge"]) == (0.85, 0.5, "verified")
    assert commit.published_at is not None
    assert row["published_at"] == commit.published_at.isoformat(timespec="milliseconds").replace(
        "+00:00", "Z"
    )


def test_facets_can_be_combined_and_switched(alice: User) -> None:
    make_adapter(alice, "one")
    make_adapter(alice, "two", config="seq_bn")
    make_adapter(alice, "three", config="par_bn", backbone=BERT)
    index_all()
    answer = get("/search", method=["lora", "par_bn"], backbone="bert-base-uncased")
    assert ids(answer) == ["alice/three"]
    methods = {option["value"]: option for option in answer["facets"]["method"]}
    assert methods["lora"] == {"value": "lora", "label": "lora", "count": 0, "selected": True}
    assert (methods["par_bn"]["count"], methods["seq_bn"]["count"]) == (1, 0)
    assert {option["value"]: option["count"] for option in answer["facets"]["backbone"]}[BERT] == 1


def test_pages(alice: User) -> None:
    for number in range(3):
        make_adapter(alice, f"praise-{number}")
    index_all()
    first, second = (get("/search", sort="newest", page=page, size=2) for page in (1, 2))
    assert (ids(first), ids(second)) == (["alice/praise-2", "alice/praise-1"], ["alice/praise-0"])
    assert (first["page"], first["pages"], first["total"]) == (1, 2, 3)


def test_private_adapters_are_found_with_a_token_that_may_read_them(alice: User, bob: User) -> None:
    make_adapter(alice, "secret", private=True)
    index_all()
    assert get("/search")["total"] == 0
    assert get("/search", token=make_token(bob))["total"] == 0
    assert ids(get("/search", token=make_token(alice, Scope.READ))) == ["alice/secret"]


@pytest.mark.parametrize(
    ("parameters", "says"),
    [
        ({"sort": "size"}, "'relevance'"),
        ({"page": 0}, "page"),
        ({"page": "x"}, "page"),
        ({"size": 101}, "100"),
        ({"size": -1}, "size"),
    ],
)
def test_wrong_parameters_are_named(parameters: dict[str, object], says: str) -> None:
    error = get("/search", status=400, **parameters)["error"]
    assert error["code"] == "bad_input"
    assert says in error["message"]


@pytest.mark.parametrize("text", ["(", "AND OR", "a" * 5000, '"', "🙂"])
def test_no_text_is_an_error(alice: User, text: str) -> None:
    make_adapter(alice, "praise")
    index_all()
    get("/search", q=text, task=text, backbone=text, method=text)


def test_a_page_of_many_costs_two_queries(
    alice: User, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    for number in range(6):
        make_adapter(alice, f"praise-{number}")
    index_all()
    with django_assert_max_num_queries(2):
        assert get("/search")["total"] == 6
