"""A spread sample of names for `make test`; the others are for `make test-all`."""

from collections.abc import Iterable
from typing import Any

import pytest


def spread(names: Iterable[str], every: int = 3) -> list[Any]:
    """Parameters for a test: each `every`-th name as it is, the others marked `matrix`."""
    return [
        name if number % every == 0 else pytest.param(name, marks=pytest.mark.matrix)
        for number, name in enumerate(names)
    ]
