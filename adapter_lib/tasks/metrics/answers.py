"""Exact match and F1 of answers found in a text, as SQuAD measures them (Rajpurkar et al. 2016, §6)."""

import re
import string
from collections import Counter
from collections.abc import Sequence

from adapter_lib.tasks.metrics.measure import Measure, mean_of

_ARTICLES = re.compile(r"\b(a|an|the)\b")
_NO_PUNCTUATION = str.maketrans("", "", string.punctuation)


def answer_measures(answers: Sequence[str], wanted: Sequence[Sequence[str]]) -> list[Measure]:
    """F1 over words and exact match, each the best over the right answers; none right: "" is."""
    pairs = list(zip(answers, (right or ("",) for right in wanted), strict=True))
    return [
        mean_of("f1", [max(_f1(answer, one) for one in right) for answer, right in pairs]),
        mean_of("exact_match", [max(float(_same(answer, one)) for one in right) for answer, right in pairs]),
    ]


def plain(text: str) -> str:
    """Lower case, without punctuation and English articles, words a space apart."""
    return " ".join(_ARTICLES.sub(" ", text.lower().translate(_NO_PUNCTUATION)).split())


def _same(answer: str, wanted: str) -> bool:
    return plain(answer) == plain(wanted)


def _f1(answer: str, wanted: str) -> float:
    given, true = plain(answer).split(), plain(wanted).split()
    if not given or not true:
        return float(given == true)
    shared = sum((Counter(given) & Counter(true)).values())
    return 2 * shared / (len(given) + len(true))
