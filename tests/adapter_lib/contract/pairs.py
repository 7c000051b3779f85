"""Which methods meet which families: all of them, or a spread sample that `make test` has time for."""

import os
import zlib

from tests.adapter_lib.contract.methods import METHODS
from tests.adapter_lib.zoo import MODELS

# Every method meets these, one of each kind.
CORE = ("bert", "gpt2", "t5", "vit")
_PER_FAMILY = 1

Pair = tuple[str, str]


def chosen() -> list[Pair]:
    """(family, method): the whole matrix if ADAPTER_CONTRACT=all, else the sample."""
    return everything() if is_whole() else sample()


def few(names: tuple[str, ...], salt: str, count: int) -> tuple[str, ...]:
    """All names if ADAPTER_CONTRACT=all, else as many of them, the same for the same salt."""
    return names if is_whole() else tuple(_some(names, salt, count))


def one(names: tuple[str, ...], salt: str) -> str:
    """One of the names, the same for the same salt."""
    return _some(names, salt, 1)[0]


def everything() -> list[Pair]:
    """Every family with every method."""
    return [(family, method) for family in MODELS for method in METHODS]


def sample() -> list[Pair]:
    """Every method with one of the core families, every family with one method: the same ones each time."""
    found: set[Pair] = set()
    for method in METHODS:
        found |= {(family, method) for family in _some(CORE, method, 1)}
    for family in MODELS:
        found |= {(family, method) for method in _some(tuple(METHODS), family, _PER_FAMILY)}
    return sorted(found)


def is_whole() -> bool:
    """True if everything was asked for."""
    return os.environ.get("ADAPTER_CONTRACT") == "all"


def _some(names: tuple[str, ...], salt: str, count: int) -> list[str]:
    """`count` names that a checksum chooses: evenly spread, and the same in every run."""
    return sorted(names, key=lambda name: zlib.crc32(f"{salt} {name}".encode()))[:count]
