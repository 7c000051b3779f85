"""Measures of generated texts: ROUGE-1 and -L, read by rouge-score, and chrF by sacrebleu."""

from collections.abc import Sequence

import numpy as np
from rouge_score.rouge_scorer import RougeScorer
from rouge_score.tokenizers import DefaultTokenizer
from sacrebleu.metrics.chrf import CHRF

from adapter_lib.tasks.metrics.measure import Measure, Numbers, mean_of

_ROUGE = ("rougeL", "rouge1")


class _AnyScript:
    """Words between spaces: rouge-score's own tokenizer drops what is not ASCII."""

    def tokenize(self, text: str) -> list[str]:
        return text.lower().split()


def text_measures(answers: Sequence[str], wanted: Sequence[str]) -> list[Measure]:
    """ROUGE-L and ROUGE-1 (F-measures from 0 to 1, the mean over texts) and corpus chrF (0 to 1)."""
    is_ascii = all(text.isascii() for text in wanted)
    scorer = RougeScorer(
        list(_ROUGE), tokenizer=DefaultTokenizer(use_stemmer=False) if is_ascii else _AnyScript()
    )
    pairs = zip(wanted, answers, strict=True)
    found = [scorer.score(right, answer) for right, answer in pairs]
    rouge = [mean_of(name, [row[name].fmeasure for row in found]) for name in _ROUGE]
    return [
        *rouge,
        Measure("chrf", np.array([*zip(answers, wanted, strict=True)], dtype=object), _chrf, resamples=0),
    ]


def _chrf(pairs: Numbers) -> float:
    return float(CHRF().corpus_score(pairs[:, 0].tolist(), [pairs[:, 1].tolist()]).score) / 100
