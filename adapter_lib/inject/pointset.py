"""The points that are on one model: put on when something needs them, taken off when nothing does."""

import sys
from dataclasses import dataclass, field

import torch

from adapter_lib.engine import BlockPart, Call, Part
from adapter_lib.families import paths
from adapter_lib.inject.atlas import Atlas, Key, Spot
from adapter_lib.inject.installing import make_point
from adapter_lib.points import ExpertsHook, FusedPoint, MaskCatcher, Point
from adapter_lib.spec.roles import EXPERT_ROLES


@dataclass
class PointSet:
    """Points by key; the points of one fused map, and of one mixture of experts, come and go together."""

    atlas: Atlas
    call: Call
    points: dict[Key, Point] = field(default_factory=dict)
    fused: dict[Key, FusedPoint | ExpertsHook] = field(default_factory=dict)
    masks: dict[str, MaskCatcher] = field(default_factory=dict)

    def get(self, spot: Spot) -> Point:
        """The point of a spot, installed now if it was not."""
        if spot.key not in self.points:
            forget_compiled_code()
            part = spot.key[1].partition(".")[0]
            siblings = self._siblings(spot, part)
            if siblings:
                self._install_fused((spot.key[0], part), siblings)
            else:
                point = make_point(spot, self.call)
                point.install()
                self.points[spot.key] = point
        return self.points[spot.key]

    def catch_mask(self, spot: Spot) -> None:
        """See to it that the mask of a spot's tower is known where it acts."""
        stack = None if spot.tower is None else paths.find(self.atlas.resolved.base, spot.tower.table.stack)
        if stack is not None and spot.place.tower not in self.masks:
            forget_compiled_code()
            self.masks[spot.place.tower] = MaskCatcher(spot.place.tower, stack, self.call)

    def sweep(self) -> None:
        """Take off the points that hold nothing, and what only they needed."""
        self._sweep_points()
        wanted = {part.place.tower for point in self.points.values() for part in _needing_masks(point)}
        for tower in set(self.masks) - wanted:
            forget_compiled_code()
            self.masks.pop(tower).uninstall()

    def _sweep_points(self) -> None:
        together = {key for fused in self.fused.values() for key in self._keys_of(fused)}
        for key, point in list(self.points.items()):
            if key not in together and point.is_empty():
                forget_compiled_code()
                point.uninstall()
                del self.points[key]
        for key, fused in list(self.fused.items()):
            if fused.is_empty():
                forget_compiled_code()
                for own in self._keys_of(fused):
                    del self.points[own]
                fused.uninstall()
                del self.fused[key]

    def _siblings(self, spot: Spot, part: str) -> list[Spot]:
        """The spots of the fused map or the experts that a spot is a part of, in order; often none."""
        if spot.place.kind == "experts":
            keys = [(spot.key[0], role) for role in EXPERT_ROLES]
            return [self.atlas.spots[key] for key in keys if key in self.atlas.spots]
        if spot.columns is None or spot.tower is None:
            return []
        letters = spot.tower.table.layer.fused()[part].letters
        return [self.atlas.spots[spot.key[0], f"{part}.{letter}"] for letter in letters]

    def _install_fused(self, key: Key, siblings: list[Spot]) -> None:
        places = {spot.place.role: spot.place for spot in siblings}
        cut = {spot.place.role: spot.columns for spot in siblings if spot.columns is not None}
        module = siblings[0].module
        fused: FusedPoint | ExpertsHook
        fused = FusedPoint(places, cut, module, self.call) if cut else ExpertsHook(places, module, self.call)
        self.fused[key] = fused
        self.points |= {(key[0], role): point for role, point in fused.points().items()}

    def _keys_of(self, fused: FusedPoint | ExpertsHook) -> list[Key]:
        return [(point.place.layer, role) for role, point in fused.points().items()]


def _needing_masks(point: Point) -> list[Part | BlockPart]:
    return [part for part in point.modules() if isinstance(part, Part | BlockPart) and part.needs_mask]


def forget_compiled_code() -> None:
    """Drop what torch.compile made, if it was used: it does not notice hooks that come or go (torch 2.13)."""
    if "torch._dynamo" in sys.modules:
        torch._dynamo.reset()
