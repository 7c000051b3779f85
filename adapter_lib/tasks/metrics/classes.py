"""Measures of answers that are one class each: scikit-learn's."""

import warnings
from collections.abc import Sequence

import numpy as np
from sklearn.exceptions import UndefinedMetricWarning
from sklearn.metrics import f1_score, matthews_corrcoef

from adapter_lib.tasks.metrics.measure import Measure, Numbers, mean_of

# scikit-learn takes a millisecond or two for each.
_RESAMPLES = 300


def class_measures(answers: Sequence[int], wanted: Sequence[int]) -> list[Measure]:
    """Accuracy, macro-F1 over the classes that occur, and Matthews' correlation (0 where it is undefined)."""
    pairs = np.stack([np.asarray(answers), np.asarray(wanted)], axis=1)
    return [
        mean_of("accuracy", [float(a == w) for a, w in zip(answers, wanted, strict=True)]),
        Measure("macro_f1", pairs, _macro_f1, _RESAMPLES),
        Measure("mcc", pairs, _mcc, _RESAMPLES),
    ]


def _macro_f1(pairs: Numbers) -> float:
    return float(f1_score(pairs[:, 1], pairs[:, 0], average="macro", zero_division=0.0))


def _mcc(pairs: Numbers) -> float:
    if len(np.unique(pairs)) < 2:
        # One class answered and wanted: scikit-learn warns, and calls it 0.
        return 0.0
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UndefinedMetricWarning)
        return float(matthews_corrcoef(pairs[:, 1], pairs[:, 0]))
