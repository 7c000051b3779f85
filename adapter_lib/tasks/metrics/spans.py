"""Measures of tags: the F1 over spans (CoNLL-2000), read by seqeval, and the accuracy over words."""

from collections.abc import Sequence

import numpy as np
from seqeval.metrics.sequence_labeling import get_entities

from adapter_lib.tasks.metrics.measure import Measure, Numbers

Tags = Sequence[str]


def tag_measures(answers: Sequence[Tags], wanted: Sequence[Tags]) -> list[Measure]:
    """Micro-averaged F1, precision and recall of spans, and accuracy of words; only the last without spans.

    Tags without `B-`, `I-` … (parts of speech) name no spans.
    """
    pairs = list(zip(answers, wanted, strict=True))
    words = np.array([[sum(a == w for a, w in zip(*pair, strict=True)), len(pair[1])] for pair in pairs])
    accuracy = Measure("accuracy", words, _ratio)
    if not any(tag[1:2] == "-" for tags in wanted for tag in tags):
        return [accuracy]
    counts = np.array([_counts(*pair) for pair in pairs])
    return [
        Measure("f1", counts, _f1),
        Measure("precision", counts[:, [0, 1]], _ratio),
        Measure("recall", counts[:, [0, 2]], _ratio),
        accuracy,
    ]


def _counts(answers: Tags, wanted: Tags) -> tuple[int, int, int]:
    """Spans that are right, answered and wanted."""
    found, true = set(get_entities(list(answers))), set(get_entities(list(wanted)))
    return len(found & true), len(found), len(true)


def _ratio(counts: Numbers) -> float:
    right, all_of_them = counts.sum(axis=0)
    return float(right / all_of_them) if all_of_them else 0.0


def _f1(counts: Numbers) -> float:
    right, found, true = counts.sum(axis=0)
    return float(2 * right / (found + true)) if found + true else 0.0
