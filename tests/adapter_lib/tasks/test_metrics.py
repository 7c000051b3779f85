"""Measures against the libraries that define them, and against numbers worked out by hand."""

import math
import random

import numpy as np
import pytest
from sacrebleu.metrics.chrf import CHRF
from scipy.stats import pearsonr, spearmanr
from seqeval.metrics import f1_score as span_f1
from seqeval.metrics import precision_score, recall_score
from sklearn.metrics import f1_score, matthews_corrcoef

from adapter_lib.tasks.metrics import Measure, mean_of, score
from adapter_lib.tasks.metrics.answers import answer_measures, plain
from adapter_lib.tasks.metrics.classes import class_measures
from adapter_lib.tasks.metrics.likelihood import perplexity_measures
from adapter_lib.tasks.metrics.numbers import number_measures
from adapter_lib.tasks.metrics.spans import tag_measures
from adapter_lib.tasks.metrics.texts import text_measures


def value_of(measures: list[Measure]) -> dict[str, float]:
    return {measure.name: score(measure, 20).value for measure in measures}


def test_classes() -> None:
    draw = random.Random(0)
    wanted = [draw.randrange(3) for _ in range(60)]
    answers = [label if draw.random() < 0.7 else draw.randrange(3) for label in wanted]
    found = value_of(class_measures(answers, wanted))
    assert found["accuracy"] == np.mean([a == w for a, w in zip(answers, wanted, strict=True)])
    assert found["macro_f1"] == pytest.approx(f1_score(wanted, answers, average="macro"))
    assert found["mcc"] == pytest.approx(matthews_corrcoef(wanted, answers))


def test_one_class_alone() -> None:
    assert value_of(class_measures([1, 1], [1, 1])) == {"accuracy": 1.0, "macro_f1": 1.0, "mcc": 0.0}
    assert value_of(class_measures([1, 1], [1, 0]))["mcc"] == 0.0


def test_numbers() -> None:
    draw = np.random.default_rng(0)
    wanted = draw.integers(0, 5, 40).astype(float)
    answers = wanted + draw.normal(size=40)
    found = value_of(number_measures(answers.tolist(), wanted.tolist()))
    assert found["pearson"] == pytest.approx(pearsonr(answers, wanted).statistic)
    assert found["spearman"] == pytest.approx(spearmanr(answers, wanted).statistic)
    assert found["mse"] == pytest.approx(np.mean((answers - wanted) ** 2))
    assert value_of(number_measures([1.0, 1.0], [1.0, 2.0]))["pearson"] == 0.0


def test_spans() -> None:
    wanted = [["B-A", "I-A", "O", "B-B"], ["O", "B-A", "O"], ["B-B", "B-B"]]
    answers = [["B-A", "I-A", "O", "O"], ["B-A", "B-A", "O"], ["B-A", "B-B"]]
    found = value_of(tag_measures(answers, wanted))
    assert found["f1"] == pytest.approx(span_f1(wanted, answers))
    assert found["precision"] == pytest.approx(precision_score(wanted, answers))
    assert found["recall"] == pytest.approx(recall_score(wanted, answers))
    assert found["accuracy"] == pytest.approx(6 / 9)


def test_tags_without_spans_have_an_accuracy_alone() -> None:
    assert value_of(tag_measures([["DET", "NOUN"]], [["DET", "VERB"]])) == {"accuracy": 0.5}


def test_answers() -> None:
    assert plain("The  Cat's, a hat!") == "cats hat"
    found = value_of(
        answer_measures(["the cat", "dog", "", "x"], [["a cat"], ["big dog", "hot dog"], [], []])
    )
    assert found["exact_match"] == (1 + 0 + 1 + 0) / 4
    assert found["f1"] == pytest.approx((1 + 2 / 3 + 1 + 0) / 4)


def test_perplexity() -> None:
    found = value_of(perplexity_measures([(math.log(4) * 3, 3), (math.log(2) * 3, 3)]))
    assert found["perplexity"] == pytest.approx(math.sqrt(8))
    assert value_of(perplexity_measures([(1e5, 1)]))["perplexity"] == math.exp(700)


def test_texts() -> None:
    answers, wanted = ["the cat sat", "a dog"], ["the cat sat down", "the dog"]
    found = {m.name: score(m, 20) for m in text_measures(answers, wanted)}
    assert found["rougeL"].value == pytest.approx((2 * 3 / 7 + 0.5) / 2)
    assert found["chrf"].value == pytest.approx(CHRF().corpus_score(answers, [wanted]).score / 100)
    assert found["chrf"].low is None


def test_rouge_reads_scripts_beyond_ascii() -> None:
    found = value_of(text_measures(["мама мыла раму"], ["мама мыла окно"]))
    assert found["rouge1"] == pytest.approx(2 / 3)


def test_intervals_hold_the_value_and_do_not_change() -> None:
    measure = mean_of("accuracy", [1.0] * 30 + [0.0] * 10)
    first, again = score(measure), score(measure)
    assert first == again
    assert first.low is not None
    assert first.high is not None
    assert first.low < first.value == 0.75 < first.high
    # The normal approximation of the binomial: 0.75 ± 1.96 √(0.75 · 0.25 / 40).
    assert first.low == pytest.approx(0.75 - 0.134, abs=0.03)
    with pytest.raises(ValueError, match="no examples"):
        score(mean_of("accuracy", []))
