"""The checks: one file per step. Importing this package makes all of them known."""

from workers.checks import card, config, effect, evaluate, format, header, layout, load, tensors

__all__ = ["card", "config", "effect", "evaluate", "format", "header", "layout", "load", "tensors"]
