"""The address is the state: every link of the browse page leads to a neighbouring one."""

from django.http import QueryDict

from hubsite.accounts.actors import Actor
from hubsite.search.queries import FacetCount, FacetName, Sort
from hubsite.web.viewmodels.browse import BrowseState
from hubsite.web.viewmodels.facets import chosen_links, facet_groups


def _state(query: str) -> BrowseState:
    return BrowseState.parse(QueryDict(query))


def test_an_address_comes_back_as_it_was() -> None:
    assert _state("").url() == "/"
    full = "/?q=film+reviews&task=sentiment&method=lora&method=seq_bn&sort=newest&page=3"
    assert _state(full[2:]).url(page=3) == full


def test_the_request_carries_it_all() -> None:
    request = _state("q=x&task=nli&task=sentiment&sort=downloads&page=2").request(Actor.anonymous())
    assert (request.text, request.task, request.sort, request.page) == (
        "x", ("nli", "sentiment"), Sort.DOWNLOADS, 2
    )  # fmt: skip


def test_nonsense_is_left_out() -> None:
    for query in ("page=0", "page=-1", "page=x", "page=99999999999", "page=²", "sort=nope", "task=", "q=%00"):
        state = _state(query)
        assert (state.page, state.chosen, state.sort, state.text) == (1, {}, Sort.SCORE, "")
    assert len(_state("q=" + "a" * 5000).text) == 200
    assert len(_state("&".join(f"task={n}" for n in range(100))).chosen[FacetName.TASK]) == 20


def test_best_match_needs_words() -> None:
    assert _state("sort=relevance").sort is Sort.SCORE
    assert _state("q=x").sort is Sort.RELEVANCE
    assert next(link.label for link in _state("").sorts()) == "verified score"
    assert [link.label for link in _state("q=x").sorts() if link.current] == ["best match"]


def test_toggling_goes_back_to_the_first_page() -> None:
    state = _state("q=x&task=nli&page=4")
    assert state.toggled(FacetName.TASK, "nli") == "/?q=x"
    assert state.toggled(FacetName.TASK, "ner") == "/?q=x&task=nli&task=ner"


def test_pages_leave_gaps() -> None:
    labels = [link.label if link else "…" for link in _state("page=10").pages(40)]
    assert labels == ["1", "…", "8", "9", "10", "11", "12", "…", "40"]
    assert [link.label if link else "…" for link in _state("").pages(50_000)] == ["1", "2", "3", "…", "501"]
    assert [link.label if link else "…" for link in _state("").pages(3)] == ["1", "2", "3"]


def test_facets_show_the_first_and_whatever_is_chosen() -> None:
    counts = tuple(FacetCount(f"t{n}", f"T{n}", 20 - n, n == 11) for n in range(12))
    state = _state("task=t11")
    (group,) = facet_groups({FacetName.TASK: counts, FacetName.METHOD: ()}, state)
    assert [option.label for option in group.options] == ["T0", "T1", "T2", "T3", "T4", "T5", "T6", "T11"]
    assert len(group.more) == 4
    assert group.options[-1].url == "/"
    assert [link.label for link in chosen_links({FacetName.TASK: counts}, state)] == ["task: T11"]


def test_labels_are_what_people_say() -> None:
    facets = {
        FacetName.BACKBONE: (FacetCount("org/model-b", "org/model-b", 1, False),),
        FacetName.METHOD: (FacetCount("seq_bn", "seq_bn", 1, False),),
    }
    groups = facet_groups(facets, _state(""))
    labels = [(option.label, option.title) for group in groups for option in group.options]
    assert labels == [("model-b", "org/model-b"), ("Sequential bottleneck", "seq_bn")]
