"""Cards: what is written is read back, and whatever is read never raises."""

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from adapter_lib.spec.card import CardContent, Claim, Metric, parse_card, render_card

CONTENT = CardContent(
    title="MiniLM for sentiment",
    summary="A LoRA that tells praise from blame.",
    method="lora",
    backbone="sentence-transformers/all-MiniLM-L6-v2",
    backbone_revision="abc",
    license="apache-2.0",
    task="sentiment",
    dataset="sentiment-sentences",
    languages=("en", "no"),
    labels=("negative", "posi|tive"),
    metrics=(Metric("accuracy", 0.9125),),
    settings=(("Rank", "8"),),
    pipeline_tag="text-classification",
    snippet='print("```")',
)


def front(text: str) -> str:
    return f"---\n{text}\n---\nBody.\n"


def test_a_rendered_card_is_read_back() -> None:
    card = parse_card(render_card(CONTENT))
    assert card.warnings == []
    assert (card.license, card.languages, card.task) == ("apache-2.0", ("en", "no"), "sentiment")
    assert (card.datasets, card.base_model) == (("sentiment-sentences",), CONTENT.backbone)
    assert card.summary == CONTENT.summary
    assert card.claims == (Claim("accuracy", 0.9125, "sentiment-sentences"),)
    assert card.front["library_name"] == "adapter_lib"
    assert card.front["base_model_relation"] == "adapter"
    assert card.tags == ("adapter_lib", "lora")


def test_a_rendered_card_is_the_same_to_any_yaml_reader() -> None:
    text = render_card(CONTENT).split("---\n")[1]
    assert yaml.safe_load(text) == parse_card(render_card(CONTENT)).front


def test_rendering_is_stable_and_leaves_out_what_is_unknown() -> None:
    bare = CardContent(title="x", summary="y", method="lora", backbone="a/b", license="mit")
    assert render_card(bare) == render_card(bare)
    assert "model-index" not in render_card(bare)
    assert "Labels" not in render_card(bare)
    assert "````python" in render_card(CONTENT)
    assert "posi\\|tive" in render_card(CONTENT)


@given(st.text(max_size=60), st.text(max_size=60), st.floats(0, 1))
def test_any_text_survives_the_front_matter(dataset: str, title: str, value: float) -> None:
    content = CardContent(title, "", "lora", "a/b", "mit", dataset=dataset, metrics=(Metric("f1", value),))
    found = parse_card(render_card(content))
    if not found.warnings:
        assert found.front.get("datasets", [""]) == [dataset]
        assert found.claims[0].value == value


@pytest.mark.parametrize(
    "text", ["1e3", "no", "null", "1_000", "12:30", "2020-01-01", "~", "0x1F", ".5", "<<", "=", ""]
)
def test_text_that_looks_like_something_else_stays_text(text: str) -> None:
    content = CardContent("t", "s", "lora", "a/b", "mit", dataset=text)
    assert parse_card(render_card(content)).datasets == ((text,) if text else ())


def test_scalars_follow_yaml_1_2() -> None:
    card = parse_card(front("language: no\na: on\nb: 010\nc: true\nd: 2020-01-01\ne: 1.5\nf: ~\ng: 1:30"))
    assert card.languages == ("no",)
    expected = {"a": "on", "b": 10, "c": True, "d": "2020-01-01", "e": 1.5, "f": None, "g": "1:30"}
    assert {key: card.front[key] for key in expected} == expected


@pytest.mark.parametrize(
    "text",
    [
        "a: &x [1]\nb: *x",
        "a: !!python/object:os.system x",
        "a: !!binary aGk=",
        "a: 1\na: 2",
        "[1]: 2",
        "- 1",
        "just text",
        "a: [",
        'a: "\\0"',
        'a: "\\ud800"',
        'a: "\\U00110000"',
        "a: 1e999",
        "a: " + "9" * 5000,
        "a: " + "[" * 3000,
        "x" * 70_000,
        "a: \x07",
    ],
)
def test_bad_front_matter_is_a_warning(text: str) -> None:
    card = parse_card(front(text))
    assert card.front == {}
    assert card.body == "Body.\n"
    assert "could not be read" in card.warnings[0]


@pytest.mark.parametrize(
    ("text", "warning"),
    [
        ("a: 1", "`license` is missing"),
        ("license: [mit]", "`license` must be one identifier"),
        ("license: mit\nlanguage: english", "not a language tag"),
        ("license: mit\nlanguage: [1, en]", "must be text"),
        ("license: mit\nadapter_task: {a: b}", "must be one task"),
        ("license: mit\nbase_model: a/b/c", "not a model id"),
        ("license: mit\nbase_model: [a, b]", "belongs to one"),
        ("license: mit\nmodel-index: 3", "no metric"),
        ("license: mit\nmodel-index: [{results: [{metrics: [{type: f1, value: true}]}]}]", "no metric"),
        ("license: mit\ntags: [" + "x" * 200 + "]", "over 120 characters"),
        ("license: mit\ntags: [" + "x, " * 200 + "]", "more than 100 values"),
    ],
)
def test_unusable_values_are_left_out_with_a_warning(text: str, warning: str) -> None:
    warnings = parse_card(front(text)).warnings
    assert len(warnings) == 1
    assert warning in warnings[0]


@pytest.mark.parametrize(
    ("readme", "warning"),
    [
        ("# Title\n", "no front matter"),
        ("---\nlicense: mit\n", "does not end"),
        (b"---\nlicense: mit\n---\n\xff", "not clean UTF-8"),
        ("---\nlicense: mit\n---\na\x00b", "not clean UTF-8"),
        ("---\nlicense: mit\n---\n" + "x" * 600_000, "more than 500000 bytes"),
    ],
)
def test_broken_files_are_read_as_far_as_they_go(readme: str | bytes, warning: str) -> None:
    card = parse_card(readme)
    assert len(card.warnings) == 1
    assert warning in card.warnings[0]
    assert "\x00" not in card.body


def test_an_empty_card_is_empty() -> None:
    assert parse_card("").warnings == []
    assert parse_card("\ufeff---\r\nlicense: MIT\r\n---\r\nHi.").license == "mit"


@given(st.text(alphabet="-\n#:[]{}&*!|>'\"%@`~a1 .\\\t\ud800\x00é", max_size=120), st.booleans())
def test_arbitrary_text_never_raises(text: str, fenced: bool) -> None:
    card = parse_card(front(text) if fenced else text)
    assert "\x00" not in card.body
    assert all(warning.isprintable() for warning in card.warnings)


@given(st.binary(max_size=100))
def test_arbitrary_bytes_never_raise(data: bytes) -> None:
    parse_card(b"---\n" + data + b"\n---\n")


@pytest.mark.parametrize(
    ("body", "summary"),
    [
        (
            "# Title\n\nFirst **bold** [link](http://x/) `code`.\nMore.\n\nSecond.",
            "First bold link code. More.",
        ),
        ("Title\n=====\n\nText.", "Text."),
        ("[![badge](a)](b)\n\n- item\n\n> quote\n\n| a |\n\n<div>\n\nText.", "Text."),
        ("```python\ncode\n\nmore\n```\nText with snake_case.", "Text with snake_case."),
        ("```", ""),
        ("# Only a title", ""),
        ("", ""),
        ("word " * 100, "word " * 59 + "…"),
        ("A" * 200 + ". " + "b" * 200, "A" * 200 + "."),
        ("x" * 400, "x" * 299 + "…"),
    ],
)
def test_the_summary_is_the_first_plain_paragraph(body: str, summary: str) -> None:
    found = parse_card(f"---\nlicense: mit\n---\n{body}").summary
    assert found == summary.replace(" …", "…")
    assert len(found) <= 300


def test_claims_are_fractions_or_percentages() -> None:
    assert Claim("accuracy", 0.5).fraction == 0.5
    assert Claim("accuracy", 91).fraction == 0.91
    assert Claim("loss", -1).fraction is None
    assert Claim("perplexity", 400).fraction is None
