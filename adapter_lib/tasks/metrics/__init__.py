"""Measures of the tasks, each with an interval. Import a module when it is needed: each brings a library."""

from adapter_lib.tasks.metrics.measure import RESAMPLES, Measure, Score, mean_of, score

__all__ = ["RESAMPLES", "Measure", "Score", "mean_of", "score"]
