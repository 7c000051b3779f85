"""Representation fine-tuning: LoReFT, NoReFT and DiReFT (Wu et al. 2024, https://arxiv.org/abs/2404.03592)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import ClassVar

from adapter_lib.spec.configs.base import Aim, MethodConfig, Place, Shapes
from adapter_lib.spec.configs.checks import (
    check_choice,
    check_flags,
    check_gating,
    check_layer_ids,
    check_probability,
    check_whole,
    refuse,
)
from adapter_lib.spec.configs.non_linearities import NON_LINEARITIES
from adapter_lib.spec.configs.registry import register_config
from adapter_lib.spec.errors import ConfigError
from adapter_lib.spec.roles import LAYER_ROLE


@dataclass(frozen=True, eq=False, kw_only=True)
class ReftConfig(MethodConfig):
    """A low-rank edit of single tokens' hidden states h behind a layer; W, R [r, d], b [r].

        Φ(h) = dropout(h + Rᵀ (f(W h + b) - R h)), without "- R h" unless subtract_projection

    The edited tokens are the first `prefix_positions` and the last `suffix_positions` that are no padding,
    each group with W, b and R of its own unless tied_weights. A token of both groups (in a short sequence)
    gets both edits, each computed from the layer's own h, and one edit where the weights are tied.

    layers: "all", or the numbers of the layers, counted from 0 through all towers.
    orthogonality: the rows of R are orthonormal. non_linearity: f, the identity unless given.
    Text that is generated with a KV cache: prefix positions are counted from the start of the whole sequence;
    suffix positions are those of the prompt.
    """

    method: ClassVar[str] = "reft"
    not_taken: ClassVar[Mapping[str, str]] = MappingProxyType(
        {"dtype": "an adapter's parameters have the type of the backbone's."}
    )

    layers: str | tuple[int, ...] = "all"
    prefix_positions: int = 3
    suffix_positions: int = 0
    r: int = 1
    orthogonality: bool = True
    subtract_projection: bool = True
    tied_weights: bool = False
    dropout: float = 0.05
    non_linearity: str | None = None

    def __post_init__(self) -> None:
        check_layer_ids(self, "leave_out")
        check_flags(self, "orthogonality", "subtract_projection", "tied_weights")
        check_gating(self)
        check_whole(self, "r", 1)
        check_whole(self, "prefix_positions", 0)
        check_whole(self, "suffix_positions", 0)
        check_probability(self, "dropout")
        check_choice(self, "non_linearity", (None, *NON_LINEARITIES))
        if isinstance(self.layers, str):
            check_choice(self, "layers", ("all",))
        else:
            check_layer_ids(self, "layers")
            if not self.layers:
                raise refuse(self, "layers", "'all' or at least one layer number")
        if not self.prefix_positions + self.suffix_positions:
            raise ConfigError(
                f"{type(self).__name__} edits no token: prefix_positions and suffix_positions are both 0."
            )

    def name(self) -> str:
        flags = self.orthogonality, self.subtract_projection
        return {(True, True): "loreft", (False, True): "noreft", (False, False): "direft"}.get(flags, "reft")

    def size(self) -> int:
        return self.r

    def aims(self) -> tuple[Aim, ...]:
        return (Aim(LAYER_ROLE, (LAYER_ROLE,)),)

    def covered_layers(self, count: int) -> tuple[int, ...]:
        covered = super().covered_layers(count)
        if isinstance(self.layers, str):
            return covered
        beyond = [layer for layer in self.layers if layer >= count]
        if beyond:
            raise ConfigError(
                f"layers names layer {beyond[0]}, but the backbone has {count} layers (0 to {count - 1})."
            )
        return tuple(layer for layer in covered if layer in self.layers)

    def units(self) -> tuple[str, ...]:
        """The groups of tokens that have weights of their own."""
        if self.tied_weights:
            return ("tied",)
        wanted: Sequence[tuple[str, int]] = (
            ("prefix", self.prefix_positions),
            ("suffix", self.suffix_positions),
        )
        return tuple(name for name, count in wanted if count)

    def shapes(self, place: Place) -> Shapes:
        width = place.width_out
        if self.orthogonality and self.r > width:
            raise ConfigError(
                f"R cannot have {self.r} orthonormal rows of {width} values; r must be smaller."
            )
        shapes = {"source.weight": (self.r, width), "source.bias": (self.r,), "projection": (self.r, width)}
        return {f"{unit}.{name}": shape for unit in self.units() for name, shape in shapes.items()}


@dataclass(frozen=True, eq=False, kw_only=True)
class LoReftConfig(ReftConfig):
    """LoReFT: R has orthonormal rows, and h is replaced within the subspace that they span."""


@dataclass(frozen=True, eq=False, kw_only=True)
class NoReftConfig(ReftConfig):
    """NoReFT: R is free."""

    orthogonality: bool = False


@dataclass(frozen=True, eq=False, kw_only=True)
class DiReftConfig(ReftConfig):
    """DiReFT: R is free, and nothing is subtracted."""

    orthogonality: bool = False
    subtract_projection: bool = False


register_config(ReftConfig, presets={"loreft": LoReftConfig, "noreft": NoReftConfig, "direft": DiReftConfig})
