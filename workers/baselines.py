"""What the bare backbone reaches: the commonest label, and a linear probe on its mean-pooled states."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from hubsite.validation.choices import BaselineKind
from hubsite.validation.reports import BaselineMeasurement
from hubsite.validation.suite_files import Row
from workers.loaded import LoadedBackbone
from workers.metrics import accuracy
from workers.prediction import Inputs, over_batches

# Inverse strengths of the L2 penalty, from strong to weak; the first best on the validation split is taken.
STRENGTHS = (0.01, 0.1, 1.0, 10.0, 100.0)
# Enough for a linear probe, and bounded however large a training split is.
MOST_TRAINING_ROWS = 10_000


def majority(train: Sequence[Row], test: Sequence[Row]) -> BaselineMeasurement:
    """The accuracy of the training split's commonest label; the lower number wins a tie."""
    counts = Counter(row.label for row in train)
    commonest = min(counts, key=lambda label: (-counts[label], label))
    wanted = [row.label for row in test]
    return BaselineMeasurement(BaselineKind.MAJORITY, accuracy([commonest] * len(wanted), wanted))


def probe(
    backbone: LoadedBackbone, train: Sequence[Row], validation: Sequence[Row], test: Sequence[Row]
) -> BaselineMeasurement:
    """Logistic regression on standardised features; its strength is chosen on the validation split."""
    # Seconds to import, and needed once per backbone and suite.
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    train = train[:MOST_TRAINING_ROWS]
    learnt, tried, asked = (features(backbone, rows) for rows in (train, validation, test))
    best: tuple[float, Any] = (-1.0, None)
    for strength in STRENGTHS:
        candidate = make_pipeline(StandardScaler(), LogisticRegression(C=strength, max_iter=2000))
        candidate.fit(learnt, [row.label for row in train])
        reached = float(candidate.score(tried, [row.label for row in validation]))
        if reached > best[0]:
            best = (reached, candidate)
    predicted = [int(label) for label in best[1].predict(asked)]
    return BaselineMeasurement(BaselineKind.PROBE, accuracy(predicted, [row.label for row in test]))


def features(backbone: LoadedBackbone, rows: Sequence[Row]) -> NDArray[np.float64]:
    """The mean of the last hidden states over the tokens, [rows, width]."""

    def mean(inputs: Inputs) -> Tensor:
        states = backbone.model(**inputs).last_hidden_state
        weights = inputs["attention_mask"].unsqueeze(-1).to(states.dtype)
        pooled: Tensor = (states * weights).sum(dim=1) / weights.sum(dim=1)
        return pooled

    found = over_batches(backbone, [row.text for row in rows], mean)
    return found.to(torch.float64).numpy()
