"""What each kind of task makes of rows: examples, features and answers."""

from pathlib import Path
from typing import Any

import pytest
from transformers import AutoTokenizer

from adapter_lib.tasks import DataError, Rows, TaskError, list_tasks, task_named, task_with_head
from adapter_lib.tasks.columns import find_columns
from adapter_lib.tasks.features import IGNORED, Feature, Padding
from adapter_lib.tasks.kinds.asked import asked_of
from adapter_lib.tasks.kinds.question_answering import _best_span
from adapter_lib.tasks.kinds.windows import Window, windows
from tests.adapter_lib.tasks.test_columns import rows_of
from tests.adapter_lib.text_backbones import WORDS


def examples(name: str, rows: Rows, labels: tuple[str, ...] = ()) -> list[Any]:
    task = task_named(name)
    found = find_columns(rows, task.parts)
    return task.examples(rows, found, labels or task.labels(rows, found))


def words_of(ids: list[int]) -> list[str]:
    return [WORDS[number] for number in ids]


def test_tasks_are_found_by_name_and_by_head() -> None:
    names = [task.name for task in list_tasks()]
    assert names == ["causal-lm", "classification", "qa", "regression", "seq2seq", "tagging"]
    assert task_named("causal_lm") is task_named(" Causal-LM ")
    assert task_with_head("question_answering").name == "qa"
    with pytest.raises(TaskError, match="There is no task 'poetry'; there are: causal-lm, classification"):
        task_named("poetry")
    with pytest.raises(TaskError, match="'dependency_parsing'"):
        task_with_head("dependency_parsing")


def test_classification_of_texts_and_pairs(bert: Path) -> None:
    task, tokenizer = task_named("classification"), AutoTokenizer.from_pretrained(bert)
    rows = rows_of(
        {"premise": "a film", "hypothesis": "a good film", "label": "yes"},
        {"premise": "food", "hypothesis": "bad", "label": "no"},
    )
    found = examples("classification", rows)
    assert [example.label for example in found] == [1, 0]
    first = task.features(tokenizer, found, 16)[0].inputs
    assert words_of(first["input_ids"]) == ["[CLS]", "a", "film", "[SEP]", "a", "good", "film", "[SEP]"]
    assert first["token_type_ids"] == [0, 0, 0, 0, 1, 1, 1, 1]
    assert len(task.features(tokenizer, found, 5)[0].inputs["input_ids"]) == 5
    assert task.told(1, ("no", "yes")) == "yes"


def test_an_unknown_label_names_its_line() -> None:
    with pytest.raises(DataError, match=r"a\.jsonl, line 2: the label 'maybe' is none of"):
        examples(
            "classification",
            rows_of({"text": "a", "label": "x"}, {"text": "b", "label": "maybe"}),
            ("x", "y"),
        )


def test_regression_reads_numbers() -> None:
    rows = rows_of({"sentence1": "a", "sentence2": "b", "score": "2.5"})
    assert [(e.texts, e.label) for e in examples("regression", rows)] == [(("a", "b"), 2.5)]
    with pytest.raises(DataError, match="line 1: 'score' must be a number"):
        examples("regression", rows_of({"text": "a", "score": "x"}))


def test_a_words_first_token_carries_its_tag(bert: Path) -> None:
    task, tokenizer = task_named("tagging"), AutoTokenizer.from_pretrained(bert)
    rows = rows_of({"tokens": ["Anna!", "eats", "in", "Paris"], "ner_tags": "B-PER O O B-LOC"})
    (example,) = examples("tagging", rows)
    (feature,) = task.features(tokenizer, [example], 16)
    assert words_of(feature.inputs["input_ids"]) == ["[CLS]", "anna", "!", "eats", "in", "paris", "[SEP]"]
    # O first, then by name: B-LOC 1, B-PER 2.
    assert feature.inputs["labels"] == [IGNORED, 2, IGNORED, 0, 0, 1, IGNORED]
    assert feature.notes == ((0, 1), (1, 3), (2, 4), (3, 5))


def test_words_that_were_cut_off_are_answered_by_the_first_tag(bert: Path) -> None:
    task, tokenizer = task_named("tagging"), AutoTokenizer.from_pretrained(bert)
    found = examples("tagging", rows_of({"tokens": ["a", "b", "film"], "tags": ["O", "X", "X"]}))
    features = task.features(tokenizer, found, 3)
    answers = task.answers(tokenizer, found, features, lambda given, read: [[1] * f.length for f in given])
    assert answers == [[1, 0, 0]]


def test_words_and_tags_must_be_as_many() -> None:
    with pytest.raises(DataError, match="line 1 has 2 words and 1 tags"):
        examples("tagging", rows_of({"tokens": ["a", "b"], "tags": ["O"]}), ("O", "X"))


CONTEXT = "the film was made in rome . anna eats in paris . bob was in rome and the food was bad ."


def test_windows_overlap_and_point_at_the_answer(bert: Path) -> None:
    tokenizer = AutoTokenizer.from_pretrained(bert)
    rows = rows_of(
        {
            "question": "where eats anna ?",
            "context": CONTEXT,
            "answers": {"text": ["in paris"], "answer_start": [38]},
        }
    )
    (example,) = examples("qa", rows)
    assert example.span == (38, 46)
    features = windows(tokenizer, [example], 20)
    assert len(features) > 1
    shown = [words_of(feature.inputs["input_ids"]) for feature in features]
    assert all(words[:6] == ["[CLS]", "where", "eats", "anna", "?", "[SEP]"] for words in shown)
    pointed = [
        " ".join(words[f.inputs["start_positions"] : f.inputs["end_positions"] + 1])
        for words, f in zip(shown, features, strict=True)
    ]
    assert set(pointed) == {"in paris", "[CLS]"}
    for feature in features:
        begin, end = feature.notes.offsets[0][0], feature.notes.offsets[-1][1]
        assert CONTEXT[begin:end].split() == shown[features.index(feature)][6:-1]


def test_the_best_span_is_found() -> None:
    import torch

    starts, ends = torch.zeros(8), torch.zeros(8)
    starts[4], ends[5], ends[2] = 3.0, 2.0, 9.0
    window = Window(0, 3, ((0, 2), (3, 5), (6, 8), (9, 11)), nothing=0)
    # The end at 2 stands before the text, and an end before its start is none.
    assert _best_span(starts, ends, window) == (5.0, 0.0, (3, 8))


def test_questions_with_and_without_answers(bert: Path) -> None:
    task, tokenizer = task_named("qa"), AutoTokenizer.from_pretrained(bert)
    rows = rows_of(
        {"question": "who ?", "context": "anna eats", "answers": "anna"},
        {"question": "where ?", "context": "bob eats", "answers": {"text": [], "answer_start": []}},
    )
    found = examples("qa", rows)
    assert [example.answers for example in found] == [("anna",), ()]
    features = task.features(tokenizer, found, 16)
    told = [(5.0, 1.0, (0, 4)), (5.0, 6.0, (0, 3))]
    assert task.answers(tokenizer, found, features, lambda *_: told) == ["anna", ""]
    assert task.answers(tokenizer, found[:1], features[:1], lambda *_: [(5.0, 6.0, (0, 4))]) == ["anna"]


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({"answers": "bob"}, r"line 1: the answer 'bob' does not stand in the text"),
        ({"answers": 3}, r"line 1: the answers must be a text"),
        (
            {"answers": {"text": ["a"], "answer_start": ["x"]}},
            r"answer_start must be a list of whole numbers",
        ),
    ],
)
def test_answers_are_checked(row: dict[str, Any], message: str) -> None:
    rows = rows_of({"question": "who ?", "context": "anna eats", **row})
    columns = {"question": "question", "context": "context", "answers": "answers"}
    with pytest.raises(DataError, match=message):
        asked_of(rows, rows.rows[0], columns)


def test_a_question_that_leaves_no_room(bert: Path) -> None:
    rows = rows_of({"question": "who " * 12, "context": "anna", "answers": "anna"})
    with pytest.raises(DataError, match=r"line 1: the question has 12 tokens, which leaves no room"):
        windows(AutoTokenizer.from_pretrained(bert), examples("qa", rows), 16)


def test_texts_are_packed_one_after_the_other(gpt2: Path) -> None:
    task, tokenizer = task_named("causal-lm"), AutoTokenizer.from_pretrained(gpt2)
    found = examples("causal-lm", rows_of({"text": "a good film ."}, {"text": "bad food"}))
    features = task.features(tokenizer, found, 5)
    assert [words_of(feature.inputs["input_ids"]) for feature in features] == [
        ["a", "good", "film", ".", "[SEP]"],
        ["bad", "food", "[SEP]"],
    ]
    assert all(feature.inputs["labels"] == feature.inputs["input_ids"] for feature in features)
    # A last token that stands alone predicts nothing.
    assert len(task.features(tokenizer, found, 7)) == 1
    tokenizer.eos_token = None
    with pytest.raises(DataError, match="fewer than two tokens"):
        task.features(tokenizer, ["a"], 5)


def test_sources_and_targets(t5: Path) -> None:
    task, tokenizer = task_named("seq2seq"), AutoTokenizer.from_pretrained(t5)
    found = examples("seq2seq", rows_of({"article": "a good film .", "summary": "good"}))
    (feature,) = task.features(tokenizer, found, 3)
    assert words_of(feature.inputs["input_ids"]) == ["a", "good", "[SEP]"]
    assert words_of(feature.inputs["labels"]) == ["good", "[SEP]"]


def test_batches_are_padded() -> None:
    features = [
        Feature({"input_ids": [5, 6], "attention_mask": [1, 1], "labels": [1, 2]}),
        Feature({"input_ids": [7], "attention_mask": [1], "labels": [3]}),
    ]
    batch = Padding(9)(features)
    assert batch["input_ids"].tolist() == [[5, 6], [7, 9]]
    assert batch["attention_mask"].tolist() == [[1, 1], [1, 0]]
    assert batch["labels"].tolist() == [[1, 2], [3, IGNORED]]
    assert Padding(9)([Feature({"input_ids": [5], "labels": 2.5})])["labels"].tolist() == [2.5]
