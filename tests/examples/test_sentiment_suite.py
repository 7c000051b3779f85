"""The sentiment set is what its card says: balanced, clean, and without one sentence in two splits."""

import json
import re
from collections import Counter
from itertools import combinations, pairwise
from pathlib import Path

import pytest

from hubsite.validation.suite_files import SPLITS, read_description, read_split

SUITE = Path(__file__).resolve().parents[2] / "examples" / "sentiment" / "suite"
SIZES = {"train": 440, "validation": 100, "test": 216}
# Two sentences that share this part of their words say nearly the same thing.
NEAR = 0.6


def _texts(split: str) -> list[str]:
    lines = (SUITE / f"{split}.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line)["text"] for line in lines]


def _words(text: str) -> frozenset[str]:
    return frozenset(re.findall(r"[a-z']+", text.lower()))


@pytest.mark.parametrize("split", SPLITS)
def test_the_hub_reads_every_split_and_both_labels_weigh_the_same(split: str) -> None:
    rows = read_split(SUITE, split, read_description(SUITE))
    assert len(rows) == SIZES[split]
    assert Counter(row.label for row in rows) == {0: SIZES[split] // 2, 1: SIZES[split] // 2}


def test_labels_do_not_follow_the_order_of_the_rows() -> None:
    rows = read_split(SUITE, "test", read_description(SUITE))
    changes = sum(first.label != second.label for first, second in pairwise(rows))
    assert 0.35 < changes / (len(rows) - 1) < 0.65


def test_no_sentence_stands_twice() -> None:
    texts = [text.casefold() for split in SPLITS for text in _texts(split)]
    assert [text for text, count in Counter(texts).items() if count > 1] == []


@pytest.mark.parametrize(("one", "other"), list(combinations(SPLITS, 2)))
def test_no_two_splits_hold_nearly_the_same_sentence(one: str, other: str) -> None:
    others = [(text, _words(text)) for text in _texts(other)]
    near = [
        (first, second)
        for first, words in ((text, _words(text)) for text in _texts(one))
        for second, theirs in others
        if len(words & theirs) >= NEAR * len(words | theirs)
    ]
    assert near == []


def test_sentences_are_clean_text_of_a_readable_length() -> None:
    for text in (text for split in SPLITS for text in _texts(split)):
        assert text == text.strip()
        assert "  " not in text
        assert text[0].isupper()
        assert text[-1] in ".!?:"
        assert 2 <= len(text.split()) <= 25


def test_single_words_hardly_give_the_label_away() -> None:
    """A word that stands in many sentences stands on both sides, if not as often."""
    sides: dict[str, Counter[int]] = {}
    for split in SPLITS:
        for row in read_split(SUITE, split, read_description(SUITE)):
            for word in _words(row.text):
                sides.setdefault(word, Counter())[row.label] += 1
    frequent = {word: count for word, count in sides.items() if count.total() >= 20}
    assert [word for word, count in frequent.items() if min(count[0], count[1]) < 0.2 * count.total()] == []
