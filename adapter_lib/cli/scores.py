"""Measured values, for people and for programs."""

from typing import Any

from adapter_lib.cli.answer import Row
from adapter_lib.tasks.measuring import Measured


def score_document(measured: Measured) -> dict[str, Any]:
    """As JSON: each value with its 95 % interval, null where there is none."""
    scores = {
        score.name: {"value": score.value, "low": score.low, "high": score.high} for score in measured.scores
    }
    return {"data": measured.source, "examples": measured.examples, "scores": scores}


def score_rows(measured: Measured) -> list[Row]:
    """As a table."""
    return [
        {
            "measure": score.name,
            "value": f"{score.value:.4f}",
            "95 % interval": "-" if score.low is None else f"{score.low:.4f} – {score.high:.4f}",
        }
        for score in measured.scores
    ]
