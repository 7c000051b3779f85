"""Perplexity."""

from collections.abc import Sequence

import numpy as np

from adapter_lib.tasks.metrics.measure import Measure, Numbers

# e^700 is the largest power of ten that a float holds, or nearly.
_LARGEST = 700.0


def perplexity_measures(answers: Sequence[tuple[float, int]]) -> list[Measure]:
    """Perplexity from (summed negative log-likelihood in nats, number of tokens) of each piece of text."""
    return [Measure("perplexity", np.asarray(answers, dtype=np.float64), _perplexity)]


def _perplexity(rows: Numbers) -> float:
    loss, tokens = rows.sum(axis=0)
    return float(np.exp(min(loss / tokens, _LARGEST)))
