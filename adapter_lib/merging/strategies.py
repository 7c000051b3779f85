"""The ways of making one update of several, by name, with their settings checked."""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from adapter_lib.merging.cat import concatenated
from adapter_lib.merging.dare import dare_linear, dare_ties
from adapter_lib.merging.linear import weighted_sum
from adapter_lib.merging.low_rank import Delta, Factors, dense
from adapter_lib.merging.magnitude_prune import magnitude_prune
from adapter_lib.merging.signs import ELECTIONS
from adapter_lib.merging.svd import best_factors
from adapter_lib.merging.ties import agreed, ties
from adapter_lib.spec.errors import AttachError, ConfigError

_SUMS = ("linear", "cat", "svd")
_TRIMMING = ("ties", "magnitude_prune")
_TRIMS = ("map", "whole")


@dataclass(frozen=True, kw_only=True)
class Strategy:
    """How updates become one.

    name: one of `STRATEGIES`. rank, energy: how much of the result is kept (`best_factors`); both None keep
    all of it. density, elect ("total" or "count"), seed: of TIES, DARE and pruning. trim: "map" keeps the
    largest entries of every map, "whole" those of all maps of an adapter together.
    Raises ConfigError for a value that is out of range, missing, or not used by the strategy.
    """

    name: str = "linear"
    rank: int | None = None
    energy: float | None = None
    density: float | None = None
    elect: str = "total"
    trim: str = "map"
    seed: int = 0

    def __post_init__(self) -> None:
        if self.name not in STRATEGIES:
            raise ConfigError(f"There is no strategy {self.name!r}; there are: {', '.join(STRATEGIES)}.")
        check_cut(self.rank, self.energy)
        is_cut = self.rank is not None or self.energy is not None
        if self.name in ("linear", "cat") and is_cut:
            raise ConfigError(f"{self.name} loses nothing; strategy='svd' takes rank and energy.")
        if self.name == "svd" and not is_cut:
            raise ConfigError("svd needs a rank or an energy share; strategy='linear' keeps all.")
        if self.elect not in ELECTIONS:
            raise ConfigError(f"elect must be {' or '.join(ELECTIONS)}, not {self.elect!r}.")
        if self.trim not in _TRIMS:
            raise ConfigError(f"trim must be {' or '.join(_TRIMS)}, not {self.trim!r}.")
        self._check_density()

    def _check_density(self) -> None:
        if self.name in _SUMS:
            if self.density is not None:
                raise ConfigError(f"{self.name} has no density; TIES, DARE and magnitude pruning have.")
        elif not _is_share(self.density):
            raise ConfigError(
                f"{self.name} needs a density above 0 and at most 1 (the share of entries that it keeps), "
                f"not {self.density!r}."
            )

    def combined(self, deltas: Sequence[Delta], weights: Sequence[float], key: str) -> Delta:
        """One update of those that there are at a place; key: the place's name, for the random numbers.

        With trim="whole" the updates are trimmed already.
        """
        return STRATEGIES[self.name](deltas, weights, self, key)

    def trims_whole(self) -> bool:
        """True if the largest entries are to be found over all maps first."""
        return self.trim == "whole" and self.name in _TRIMMING

    def factors(self, delta: Delta, noise: float) -> Factors:
        """What is kept of the result; noise: as in `best_factors`."""
        if self.name == "cat" and isinstance(delta, Factors):
            return delta
        return best_factors(delta, self.rank, self.energy, noise)

    def generator(self, key: str) -> torch.Generator:
        """Random numbers that depend on the seed and the place alone, not on which other places there are."""
        digest = hashlib.sha256(f"{self.seed} {key}".encode()).digest()
        return torch.Generator().manual_seed(int.from_bytes(digest[:7], "big"))


def check_cut(rank: int | None, energy: float | None) -> None:
    """Raises ConfigError for a rank or an energy share out of range."""
    if rank is not None and (type(rank) is not int or rank < 1):
        raise ConfigError(f"rank must be a whole number above 0, not {rank!r}.")
    if energy is not None and not _is_share(energy):
        raise ConfigError(f"energy must be a share above 0 and at most 1, not {energy!r}.")


def _is_share(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 < value <= 1


Combine = Callable[[Sequence[Delta], Sequence[float], Strategy, str], Delta]


def _sum(deltas: Sequence[Delta], weights: Sequence[float], given: Strategy, key: str) -> Delta:
    return weighted_sum(deltas, weights)


def _cat(deltas: Sequence[Delta], weights: Sequence[float], given: Strategy, key: str) -> Delta:
    factors = [delta for delta in deltas if isinstance(delta, Factors)]
    if len(factors) < len(deltas):
        raise AttachError(
            f"cat puts the factors of low-rank updates side by side, and one of the updates at {key} has "
            "none: use strategy='linear', or 'svd' with a rank."
        )
    return concatenated(factors, weights)


def _ties(deltas: Sequence[Delta], weights: Sequence[float], given: Strategy, key: str) -> Delta:
    elect = ELECTIONS[given.elect]
    if given.trims_whole():
        return agreed(_dense(deltas), weights, elect)
    return ties(_dense(deltas), weights, _density(given), elect)


def _dare_linear(deltas: Sequence[Delta], weights: Sequence[float], given: Strategy, key: str) -> Delta:
    return dare_linear(_dense(deltas), weights, _density(given), given.generator(key))


def _dare_ties(deltas: Sequence[Delta], weights: Sequence[float], given: Strategy, key: str) -> Delta:
    elect = ELECTIONS[given.elect]
    return dare_ties(_dense(deltas), weights, _density(given), given.generator(key), elect)


def _magnitude_prune(deltas: Sequence[Delta], weights: Sequence[float], given: Strategy, key: str) -> Delta:
    if given.trims_whole():
        return weighted_sum(_dense(deltas), weights)
    return magnitude_prune(_dense(deltas), weights, _density(given))


def _dense(deltas: Sequence[Delta]) -> list[Tensor]:
    return [dense(delta) for delta in deltas]


def _density(given: Strategy) -> float:
    return 1.0 if given.density is None else given.density


STRATEGIES: dict[str, Combine] = {
    "linear": _sum,
    "cat": _cat,
    "svd": _sum,
    "ties": _ties,
    "dare_linear": _dare_linear,
    "dare_ties": _dare_ties,
    "magnitude_prune": _magnitude_prune,
}
