"""What the methods with an update B A of low rank have in common."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from adapter_lib.spec.configs.base import Place, Shapes
from adapter_lib.spec.configs.checks import (
    check_flags,
    check_positive,
    check_probability,
    check_whole,
    refuse,
    store,
)
from adapter_lib.spec.configs.per_place import PerPlace
from adapter_lib.spec.configs.targeted import TargetedConfig
from adapter_lib.spec.errors import ConfigError


@dataclass(frozen=True, eq=False, kw_only=True)
class LowRankConfig(TargetedConfig):
    """An update s · B A of a map's weight, with A [r, in], B [out, r] and s = alpha / r.

    A convolution's A has its kernel, [r, in, *kernel]; an embedding's is [r, vocabulary]; experts have one A
    and one B each, [experts, r, in] and [experts, out, r].

    dropout: on the input of A; ids of an embedding are not dropped, and experts take none.
    rslora: s = alpha / sqrt(r) instead (Kalajdzievski 2023, https://arxiv.org/abs/2312.03732).
    rank_pattern, alpha_pattern: another r or alpha for some places, as `PerPlace` names them.
    """

    kinds: ClassVar[tuple[str, ...]] = ("linear", "conv", "embedding", "experts")

    r: int = 8
    alpha: float = 8.0
    dropout: float = 0.0
    rslora: bool = False
    rank_pattern: "PerPlace | Mapping[str, int] | None" = None
    alpha_pattern: "PerPlace | Mapping[str, float] | None" = None

    def __post_init__(self) -> None:
        super().__post_init__()
        check_whole(self, "r", 1)
        check_positive(self, "alpha")
        check_probability(self, "dropout")
        check_flags(self, "rslora")
        for field in ("rank_pattern", "alpha_pattern"):
            given = getattr(self, field)
            if given is not None and not isinstance(given, PerPlace | Mapping):
                raise refuse(self, field, "a mapping from places to numbers, or none")
            store(self, field, PerPlace.parse(given) if given else None)
        if any(not isinstance(rank, int) for _, rank in _values(self.rank_pattern)):
            raise refuse(self, "rank_pattern", "a mapping from places to whole numbers")

    @property
    def scale(self) -> float:
        """s of the equation above, where no pattern says otherwise."""
        return self._scale(self.alpha, self.r)

    def rank_at(self, place: Place) -> int:
        """r at one place."""
        found = _at(self.rank_pattern, place)
        return self.r if found is None else int(found)

    def scale_at(self, place: Place) -> float:
        """s at one place."""
        alpha = _at(self.alpha_pattern, place)
        return self._scale(self.alpha if alpha is None else alpha, self.rank_at(place))

    def _scale(self, alpha: float, rank: int) -> float:
        return alpha / (math.sqrt(rank) if self.rslora else rank)

    def size(self) -> int:
        return self.r

    def map_shapes(self, place: Place) -> Shapes:
        if place.groups > 1:
            raise ConfigError(
                f"{place.role} is a convolution in {place.groups} groups, and B A fits one group only; "
                "leave it out of targets."
            )
        if place.kind == "experts" and self.dropout:
            raise ConfigError(
                "Experts are adapted by their weights, where no input can be dropped: set dropout=0, or give "
                "them an adapter of their own in a union."
            )
        rank = self.rank_at(place)
        if place.kind == "experts":
            (count,) = place.extent
            return {"lora_a": (count, rank, place.width_in), "lora_b": (count, place.width_out, rank)}
        return {"lora_a": (rank, place.width_in, *place.extent), "lora_b": (place.width_out, rank)}


def largest_rank(place: Place) -> int:
    """The rank that the weight of a place can have."""
    kernel = 1 if place.kind == "experts" else math.prod(place.extent)
    return min(place.width_in * kernel, place.width_out)


def _values(pattern: object) -> tuple[tuple[str, float], ...]:
    return pattern.values if isinstance(pattern, PerPlace) else ()


def _at(pattern: object, place: Place) -> float | None:
    return pattern.at(place) if isinstance(pattern, PerPlace) else None
