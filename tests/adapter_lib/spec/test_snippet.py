import ast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapter_lib.spec.snippet import literal, snippet


def test_a_repo_id_becomes_a_hub_id() -> None:
    assert 'adapter_lib.load("hub:demo/x")' in snippet("demo/x", "Good.", ["no", "yes"])
    assert 'adapter_lib.load("hub:sentiment/lora")' in snippet("hub:sentiment/lora", "Good.")


def test_the_endpoint_is_named_only_if_it_is_not_the_default() -> None:
    assert "endpoint" not in snippet("demo/x", "Good.", endpoint="http://127.0.0.1:8000/")
    assert 'endpoint="https://hub.example"' in snippet("demo/x", "Good.", endpoint="https://hub.example")


def test_without_labels_the_numbers_are_printed() -> None:
    assert "print(logits)" in snippet("demo/x", "Good.")


def test_texts_and_labels_stand_in_the_code() -> None:
    code = snippet("demo/x", ["It's fine.", "Bad."], ["negative", "positive"])
    assert '"It\'s fine."' in code
    assert 'labels = ["negative", "positive"]' in code
    assert ":>8}" in code


@given(st.text(), st.lists(st.text(), min_size=1, max_size=3))
def test_any_text_stays_a_literal(text: str, labels: list[str]) -> None:
    tree = ast.parse(snippet("demo/x", text, labels))
    values = [node.value for node in ast.walk(tree) if isinstance(node, ast.Constant)]
    assert {text, *labels} <= set(values)


@pytest.mark.parametrize("text", ["plain", "it's", 'say "x"', "both ' and \"", "back\\slash", "\u202e\n"])
def test_literals_are_python_and_print(text: str) -> None:
    assert ast.literal_eval(literal(text)) == text
    assert literal(text).isprintable()
