"""The tables in docs/methods say what the code, the contract and the measurements say."""

import pytest

import adapter_lib
from tests.docs import defects_table
from tests.docs.answers import ANSWERS
from tests.docs.markers import filled, table
from tests.docs.methods_table import methods, page_of, pages


def test_the_committed_tables_are_current() -> None:
    for path, text in pages():
        current = path.read_text(encoding="utf-8") == text
        assert current, f"{path.name}: run python -m tests.docs.methods_table"


def test_every_method_has_a_row_and_a_page() -> None:
    text = methods()
    for method in adapter_lib.list_methods():
        assert f"| [{method.name}]({page_of(method.name)}) |" in text
        assert all(f"`{preset}`" in text for preset in method.presets)
    with pytest.raises(LookupError, match="no page"):
        page_of("nothing")


def test_every_defect_has_one_row() -> None:
    answered = [name for section in ANSWERS.values() for name in section]
    assert sorted(answered) == sorted(defects_table.defects())
    rows = [line for section in ANSWERS for line in defects_table.render(section).splitlines()[2:]]
    assert len(rows) == len(answered)


def test_a_page_without_its_markers_is_refused() -> None:
    page = "a\n<!-- x: begin -->\nold\n<!-- x: end -->\nb\n"
    assert filled(page, "x", "new") == "a\n<!-- x: begin -->\n\nnew\n\n<!-- x: end -->\nb\n"
    with pytest.raises(ValueError, match="one pair of markers 'y'"):
        filled(page, "y", "new")


def test_bars_in_cells_are_escaped() -> None:
    assert table(("a", "b"), [("x|y", "z")]).splitlines() == ["| a | b |", "|---|---|", "| x\\|y | z |"]
