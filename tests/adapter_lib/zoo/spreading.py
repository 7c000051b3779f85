"""A spread sample for `make test`; the others are for `make test-all`."""

from collections.abc import Iterable
from typing import Any

import pytest


def spread(values: Iterable[Any], every: int = 3) -> list[Any]:
    """Parameters for a test (tuples where it has several): all but each `every`-th are marked `matrix`."""
    found = []
    for number, value in enumerate(values):
        own = value if isinstance(value, tuple) else (value,)
        found.append(pytest.param(*own, marks=pytest.mark.matrix if number % every else ()))
    return found
