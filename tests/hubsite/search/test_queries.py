"""The search over an index of plain documents; only labels and backbone aliases come from the database."""

import pytest
from pytest_django import DjangoAssertNumQueries

from hubsite.accounts.actors import Actor
from hubsite.accounts.models import User
from hubsite.registry.models import Backbone
from hubsite.search.queries import FacetCount, FacetName, SearchRequest, SearchResponse, Sort, search
from hubsite.search.request import MAX_PAGE_SIZE
from tests.hubsite.search.made import BERT, document, fill, names

pytestmark = pytest.mark.django_db


def found(text: str = "", **wishes: object) -> list[str]:
    return names(search(SearchRequest(text=text, sort=Sort.NEWEST, **wishes)).hits)  # type: ignore[arg-type]


def counts(response: SearchResponse, facet: FacetName) -> dict[str, int]:
    return {option.value: option.count for option in response.facets[facet]}


def repr_of_start(text: str) -> str:
    return ascii(text[:12])


def test_without_an_index_nothing_is_found_and_nothing_fails() -> None:
    response = search(SearchRequest(text="lora", task=("sentiment",)))
    assert (response.total, response.hits, response.pages) == (0, (), 0)
    assert set(response.facets) == set(FacetName)


@pytest.mark.parametrize(
    "text", ["minilm", "mini", "MiniLM-L6", "all-MiniLM-L6-v2", "sentence transformers", "v2 l6"]
)
def test_backbones_are_found_by_their_parts(text: str) -> None:
    fill([document(1), document(2, backbone=BERT)])
    assert found(text) == ["adapter1"]


@pytest.mark.parametrize("text", ["bert base uncased", "uncased", "bert-large"])
def test_backbones_are_found_by_their_aliases(text: str) -> None:
    fill([document(1), document(2, backbone=BERT, aliases=("bert-large-alias",))])
    assert found(text) == ["adapter2"]


def test_the_last_word_may_be_unfinished_and_only_the_last() -> None:
    fill([document(1, summary="complaints about delivery")])
    assert found("complaints deliv") == ["adapter1"]
    assert found("deliv complaints") == []


@pytest.mark.parametrize(
    ("text", "respelled"),
    [
        ("sentimnt", ("sentimnt",)),
        ("sentimetn lora", ("sentimetn",)),
        ("classifcatoin", ("classifcatoin",)),
        ("sentimant", ("sentimant",)),
    ],
)
def test_typing_errors_are_forgiven_and_named(text: str, respelled: tuple[str, ...]) -> None:
    fill([document(1, summary="classification of reviews")])
    response = search(SearchRequest(text=text))
    assert names(response.hits) == ["adapter1"]
    assert response.respelled == respelled


def test_a_word_that_exists_is_not_mixed_with_similar_ones() -> None:
    fill([document(1, summary="bert"), document(2, summary="best")])
    assert found("bert") == ["adapter1"]


def test_short_words_forgive_nothing() -> None:
    fill([document(1, summary="cat")])
    assert found("cot") == []


def test_every_word_must_occur() -> None:
    fill([document(1, summary="german poems"), document(2, summary="german letters")])
    assert found("german poems") == ["adapter1"]
    assert found("german zzzz") == []


def test_words_side_by_side_come_first() -> None:
    fill(
        [
            document(1, summary="review of a film, in which a product appears", name="one"),
            document(2, summary="a product review of film cameras", name="two"),
        ]
    )
    assert names(search(SearchRequest(text="product review")).hits) == ["two", "one"]


def test_the_name_weighs_more_than_the_body() -> None:
    fill([document(1, body="irony irony irony"), document(2, name="irony")])
    assert names(search(SearchRequest(text="irony")).hits) == ["irony", "adapter1"]


@pytest.mark.parametrize(
    "text",
    [
        "(",
        "AND OR NOT",
        '"',
        "task:sentiment",
        "a AND (b",
        "*",
        "~2",
        "[x TO y]",
        "\\",
        "\ud800",
        "\0",
        "^" * 400,
        "word " * 5000,
        "x" * 70_000,
        "'; DROP TABLE",
        "🙂",
        "-",
        "+lora -lora",
    ],
    ids=repr_of_start,
)
def test_no_text_ever_raises(text: str) -> None:
    fill([document(1)])
    search(SearchRequest(text=text, task=(text,)))


def test_special_characters_are_plain_text() -> None:
    fill([document(1), document(2, method="seq_bn")])
    assert found("method:lora") == []
    assert found('"lora"') == ["adapter1"]


def test_text_in_scripts_without_blanks_is_found_within() -> None:
    fill([document(1, summary="中文情感分析适配器")])
    assert found("情感分析") == ["adapter1"]


def test_values_of_a_facet_are_alternatives_and_facets_narrow_each_other() -> None:
    fill(
        [
            document(1, task="nli"),
            document(2, task="sentiment", method="seq_bn"),
            document(3, task="sentiment", languages=("de", "en")),
            document(4, task="ner"),
        ]
    )
    assert found(task=("sentiment", "nli")) == ["adapter3", "adapter2", "adapter1"]
    assert found(task=("sentiment",), method=("lora",)) == ["adapter3"]
    assert found(language=("de",)) == ["adapter3"]
    assert found(task=("nothing",)) == []
    assert found(task=("SENTIMENT",), language=("DE",)) == ["adapter3"]


def test_counts_of_a_facet_are_those_under_all_other_facets() -> None:
    fill(
        [
            document(1, task="sentiment", method="lora"),
            document(2, task="sentiment", method="seq_bn"),
            document(3, task="nli", method="lora"),
            document(4, task="ner", method="par_bn", license=""),
        ]
    )
    response = search(SearchRequest(task=("sentiment",), method=("lora",)))
    assert response.total == 1
    assert counts(response, FacetName.TASK) == {"sentiment": 1, "nli": 1, "ner": 0}
    assert counts(response, FacetName.METHOD) == {"lora": 1, "seq_bn": 1, "par_bn": 0}
    assert counts(response, FacetName.LICENSE) == {"apache-2.0": 1}


def test_options_are_ordered_labelled_and_marked() -> None:
    fill([document(1, task="nli"), document(2), document(3), document(4, value=0.9)])
    response = search(SearchRequest(task=("nli",)))
    tasks = response.facets[FacetName.TASK]
    assert [(one.value, one.count, one.selected) for one in tasks] == [
        ("sentiment", 3, False),
        ("nli", 1, True),
    ]
    assert tasks[0].label != "sentiment"
    assert response.facets[FacetName.LANGUAGE] == (FacetCount("en", "English", 1, selected=False),)
    assert response.facets[FacetName.BADGE][1] == FacetCount("verified", "Verified score", 0, selected=False)
    assert response.facets[FacetName.FILE_SIZE][0].label == "under 1 MB"


def test_counts_are_exact_over_many_documents_and_segments() -> None:
    fill([document(n, task=("sentiment", "nli", "ner")[n % 3], dataset=f"set-{n % 60}") for n in range(600)])
    response = search(SearchRequest())
    assert response.total == 600
    assert counts(response, FacetName.TASK) == {"sentiment": 200, "nli": 200, "ner": 200}
    assert set(counts(response, FacetName.DATASET).values()) == {10}


def test_a_selected_value_that_does_not_exist_is_shown_as_selected() -> None:
    fill([document(1)])
    response = search(SearchRequest(method=("dora",)))
    assert response.total == 0
    assert FacetCount("dora", "dora", 0, selected=True) in response.facets[FacetName.METHOD]


@pytest.mark.parametrize("value", [BERT, "bert-base-uncased", "BERT-base-uncased", "my-bert"])
def test_backbones_are_selected_by_any_of_their_names(value: str) -> None:
    Backbone.objects.create(name=BERT, aliases=["my-bert"])
    fill([document(1), document(2, backbone=BERT)])
    response = search(SearchRequest(backbone=(value,)))
    assert names(response.hits) == ["adapter2"]
    assert [one.value for one in response.facets[FacetName.BACKBONE] if one.selected] == [BERT]


def test_methods_are_selected_by_their_aliases() -> None:
    fill([document(1), document(2, method="seq_bn"), document(3, method="par_bn")])
    assert found(method=("pfeiffer",)) == ["adapter2"]
    assert found(method=("bottleneck",)) == ["adapter3", "adapter2"]


def test_orders() -> None:
    fill(
        [
            document(1, value=0.9, downloads=5),
            document(2, downloads=50, likes=1),
            document(3, value=0.95, downloads=5, likes=7),
            document(4, downloads=5),
        ]
    )
    orders = {sort: names(search(SearchRequest(sort=sort)).hits) for sort in Sort}
    assert orders[Sort.SCORE] == ["adapter3", "adapter1", "adapter4", "adapter2"]
    assert orders[Sort.RELEVANCE] == orders[Sort.SCORE]
    assert orders[Sort.DOWNLOADS] == ["adapter2", "adapter4", "adapter3", "adapter1"]
    assert orders[Sort.LIKES] == ["adapter3", "adapter2", "adapter4", "adapter1"]
    assert orders[Sort.NEWEST] == ["adapter4", "adapter3", "adapter2", "adapter1"]


def test_pages_cover_everything_once() -> None:
    fill([document(number, downloads=1) for number in range(1, 26)])
    pages = [search(SearchRequest(sort=Sort.DOWNLOADS, page=page, size=10)) for page in (1, 2, 3, 4)]
    assert [len(page.hits) for page in pages] == [10, 10, 5, 0]
    assert {page.total for page in pages} == {25}
    assert {page.pages for page in pages} == {3}
    assert len({hit.name for page in pages for hit in page.hits}) == 25


@pytest.mark.parametrize(("page", "size"), [(0, 0), (-5, -5), (10**12, 20), (1, 10**9)])
def test_pages_and_sizes_have_sane_bounds(page: int, size: int) -> None:
    fill([document(number) for number in range(1, 4)])
    response = search(SearchRequest(page=page, size=size))
    assert response.total == 3
    assert len(response.hits) <= MAX_PAGE_SIZE


def test_private_adapters_are_found_and_counted_for_their_owner_alone(alice: User, bob: User) -> None:
    fill([document(1), document(2, private=True, owner_id=alice.pk, task="nli", summary="secretword")])
    for viewer, sees in (
        (Actor.anonymous(), False),
        (Actor.of_user(bob), False),
        (Actor.of_user(alice), True),
    ):
        response = search(SearchRequest(viewer=viewer))
        assert response.total == 1 + sees
        assert ("nli" in counts(response, FacetName.TASK)) is sees
        assert bool(search(SearchRequest(text="secretword", viewer=viewer)).hits) is sees
        assert (search(SearchRequest(text="secretwort", viewer=viewer)).respelled == ("secretwort",)) is sees


def test_a_browse_page_reads_no_rows(django_assert_max_num_queries: DjangoAssertNumQueries) -> None:
    fill([document(number) for number in range(1, 40)])
    with django_assert_max_num_queries(2):
        assert len(search(SearchRequest(text="sentiment", size=30)).hits) == 30
