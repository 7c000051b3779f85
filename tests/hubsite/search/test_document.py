from hubsite.search.document import Hit
from tests.hubsite.search.made import HIT, document


def test_a_row_comes_back_from_the_index_as_it_went_in() -> None:
    for hit in (HIT, document(3, value=0.9, summary="ü “quoted” \n 情感").hit):
        assert Hit.from_json(hit.to_json()) == hit


def test_the_id_is_namespace_and_name() -> None:
    assert HIT.id == "demo/lora"
