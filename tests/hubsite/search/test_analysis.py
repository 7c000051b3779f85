import pytest

from hubsite.search.analysis import analyzer, clean, query_words


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("all-MiniLM-L6-v2", ["all", "minilm", "l6", "v2"]),
        ("bert_base/UNCASED", ["bert", "base", "uncased"]),
        ("Über naïve", ["uber", "naive"]),
        ("情感分析 zh", ["情", "感", "分", "析", "zh"]),
        ("हिन्दी", ["हिन्दी"]),
        ("r=8 q,v", ["r", "8", "q", "v"]),
        ("x" * 100, []),
    ],
)
def test_letters_and_digits_are_words_and_the_rest_separates(text: str, words: list[str]) -> None:
    assert analyzer().analyze(text) == words


def test_fillers_count_only_when_nothing_else_is_asked() -> None:
    assert query_words("LoRA for sentiment") == ["lora", "sentiment"]
    assert query_words("to be") == ["be"]
    assert query_words("the and") == ["the", "and"]


def test_what_no_index_can_hold_becomes_text() -> None:
    assert clean("a\ud800b\0") == "a?b?"
    assert query_words("\ud800") == []
