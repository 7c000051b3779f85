from hubsite.search.facets import count, count_under_others, options
from hubsite.search.filters import visible
from hubsite.search.reader import current_searcher
from hubsite.search.request import FacetName
from tests.hubsite.search.made import document, fill


def test_only_the_facets_that_were_asked_for_are_counted() -> None:
    fill([document(1), document(2, task="nli")])
    searcher = current_searcher()
    assert searcher is not None
    assert count(searcher, visible([]), [FacetName.TASK]) == {FacetName.TASK: {"sentiment": 1, "nli": 1}}


def test_each_selected_facet_is_counted_without_its_own_selection() -> None:
    fill([document(1), document(2, task="nli"), document(3, task="nli", method="seq_bn")])
    searcher = current_searcher()
    assert searcher is not None
    selection = {FacetName.TASK: ("sentiment",), FacetName.METHOD: ("lora",)}
    counts = count_under_others(searcher, [visible([])], None, selection)
    assert counts[FacetName.TASK] == {"sentiment": 1, "nli": 1}
    assert counts[FacetName.METHOD] == {"lora": 1}
    assert counts[FacetName.BADGE] == {"unscored": 1}


def test_options_stand_by_count_and_then_by_label() -> None:
    existing = {facet: {"b": 1, "a": 1, "c": 9} for facet in FacetName}
    counts = {facet: {"b": 2, "a": 2} for facet in FacetName}
    labels = {FacetName.TASK: {"a": "Zebra", "b": "Ape"}}
    found = options(existing, counts, {FacetName.TASK: ("d",)}, labels)
    assert [(one.value, one.count, one.selected) for one in found[FacetName.TASK]] == [
        ("b", 2, False),
        ("a", 2, False),
        ("c", 0, False),
        ("d", 0, True),
    ]
    assert [one.value for one in found[FacetName.METHOD]] == ["a", "b", "c"]
