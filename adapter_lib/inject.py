"""A family's table and a config become points with parameters on one model."""

import sys
from dataclasses import dataclass, field

import torch
from torch import nn

from adapter_lib.engine import Part
from adapter_lib.families import Resolved, resolve
from adapter_lib.methods import method_of
from adapter_lib.points import FusedPoint, LeafPoint, Point, SitePoint, linear_widths
from adapter_lib.spec.composition import Block
from adapter_lib.spec.configs import MethodConfig, Place
from adapter_lib.spec.errors import AttachError, ConfigError

Key = tuple[int, str]
"""(layer, role)"""


@dataclass(frozen=True)
class AttachReport:
    """What adding an adapter did: how many places per role, and how many parameters in all."""

    name: str
    method: str
    places: dict[str, int]
    parameters: int

    def __str__(self) -> str:
        places = ", ".join(f"{count} × {role}" for role, count in self.places.items())
        return f"{self.name} ({self.method}): {self.parameters:,} parameters at {places}"


@dataclass
class Injection:
    """The adapters on one model: which there are, where they sit, and which of them act."""

    resolved: Resolved
    points: dict[Key, Point] = field(default_factory=dict)
    fused: dict[int, FusedPoint] = field(default_factory=dict)
    configs: dict[str, MethodConfig] = field(default_factory=dict)
    block: Block | None = None

    @classmethod
    def of(cls, model: nn.Module) -> "Injection":
        """Nothing attached yet. Raises FamilyError if the model's family is not known."""
        return cls(resolve(model))

    def attach(self, name: str, config: MethodConfig, *, initialise: bool = True) -> AttachReport:
        """Put an adapter at all its places.

        Raises FamilyError or ConfigError, and then nothing has changed.
        """
        keys = self.keys(config)
        try:
            points = [self._point(key) for key in keys]
            parts = [self._part(point, config, initialise) for point in points]
            for point, part in zip(points, parts, strict=True):
                point.add(name, part)
        finally:
            self._sweep()
        self.configs[name] = config
        counts = {role: sum(key[1] == role for key in keys) for role in config.roles()}
        parameters = sum(p.numel() for part in parts for p in part.parameters())
        return AttachReport(name, config.name(), counts, parameters)

    def remove(self, name: str) -> None:
        """Take an adapter off; points that hold no other go with it."""
        for point in self.points.values():
            if isinstance(point, LeafPoint) and point.merged == name:
                point.reset()
            point.remove(name)
        del self.configs[name]
        if self.block is not None and name in self.block.names():
            self.activate(None)
        self._sweep()

    def activate(self, block: Block | None) -> None:
        """Let a composition act, or nothing; names that do not exist are the caller's to refuse.

        Raises AttachError, and then nothing has changed, if one of them is merged and would act twice.
        """
        if block is not None and (merged := self.merged()) in block.names():
            raise AttachError(f"{merged!r} is merged into the weights; reset_adapter() takes it out again.")
        self.block = block
        for point in self.points.values():
            point.activate(block)

    def parts(self, name: str) -> dict[Key, Part]:
        """An adapter's parts by (layer, role)."""
        found = {key: point.parts().get(name) for key, point in self.points.items()}
        return {key: part for key, part in sorted(found.items()) if part is not None}

    def leaves(self, name: str) -> list[LeafPoint]:
        """The linear maps an adapter changes."""
        return [p for key in self.parts(name) if isinstance(p := self.points[key], LeafPoint)]

    def merged(self) -> str | None:
        """The adapter that is merged into the weights, if one is."""
        names = (point.merged for point in self.points.values() if isinstance(point, LeafPoint))
        return next((name for name in names if name is not None), None)

    def keys(self, config: MethodConfig) -> list[Key]:
        """Where a config acts on this model. Raises FamilyError or ConfigError if it cannot, or nowhere."""
        self.resolved.family.check_roles(config)
        keys = [
            (layer, role) for layer in config.layers(len(self.resolved.layers)) for role in config.roles()
        ]
        if not keys:
            raise ConfigError(f"{config.name()} matches no place: leave_out names all layers.")
        return keys

    def _part(self, point: Point, config: MethodConfig, initialise: bool) -> Part:
        part = method_of(config).part(config, point.place, point.like())
        if initialise:
            part.initialise()
        return part

    def _point(self, key: Key) -> Point:
        if key not in self.points:
            forget_compiled_code()
            self._install(*key)
        return self.points[key]

    def _install(self, layer: int, role: str) -> None:
        spec, module = self.resolved.family.tower.layer, self.resolved.layers[layer]
        if role in spec.sites():
            hidden = self.resolved.hidden_size
            site = SitePoint(Place(role, layer, hidden, hidden), spec.sites()[role], module)
            site.install()
            self.points[layer, role] = site
        elif role in spec.fused():
            self._install_fused(layer, module)
        else:
            linear = module.get_submodule(spec.leaves()[role])
            leaf = LeafPoint(Place(role, layer, *linear_widths(linear)), linear)
            leaf.install()
            self.points[layer, role] = leaf

    def _install_fused(self, layer: int, module: nn.Module) -> None:
        roles = list(self.resolved.family.tower.layer.fused())
        linear = module.get_submodule(self.resolved.family.tower.layer.fused()[roles[0]])
        width_in, width_out = linear_widths(linear)
        width = width_out // len(roles)
        fused = FusedPoint([Place(role, layer, width_in, width) for role in roles], linear)
        self.fused[layer] = fused
        self.points |= {(layer, role): point for role, point in fused.points().items()}

    def _sweep(self) -> None:
        """Take off the points that hold nothing; a fused map's points go together."""
        fused_roles = self.resolved.family.tower.layer.fused()
        for key, point in list(self.points.items()):
            if key[1] not in fused_roles and not point.parts():
                forget_compiled_code()
                point.uninstall()
                del self.points[key]
        for layer, fused in list(self.fused.items()):
            if not any(point.parts() for point in fused.points().values()):
                forget_compiled_code()
                fused.uninstall()
                del self.fused[layer]
                for role in fused.points():
                    del self.points[layer, role]


def forget_compiled_code() -> None:
    """Drop what torch.compile made, if it was used: it does not notice hooks that come or go (torch 2.13)."""
    if "torch._dynamo" in sys.modules:
        torch._dynamo.reset()
