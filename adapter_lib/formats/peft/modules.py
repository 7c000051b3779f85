"""PEFT's module paths ↔ our places, and the words by which our configs aim at these."""

import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from torch import Tensor, nn

from adapter_lib.families import paths
from adapter_lib.inject import Atlas, Key, Spot
from adapter_lib.points import CHILD_PREFIX, maps
from adapter_lib.spec.configs.targeted import ROLE_WORDS, name_pattern
from adapter_lib.spec.errors import LoadError
from adapter_lib.spec.roles import LEAF_ROLES
from adapter_lib.spec.strict_json import quoted


@dataclass(frozen=True)
class Target:
    """A module that PEFT adapts, and the places that it is here: several where it is a fused map.

    path: as the file writes it. name: from the base model, as our configs write it.
    """

    path: str
    name: str
    module: nn.Module
    spots: tuple[Spot, ...]

    @property
    def spot(self) -> Spot:
        """The only place. Raises LoadError for a fused map, which our method changes in pieces."""
        if len(self.spots) > 1 or self.spots[0].columns is not None:
            raise LoadError(
                f"{self.path} is one matrix to PEFT and several maps here; this update cannot be cut up."
            )
        return self.spots[0]


class Modules:
    """The modules of one model by the paths that PEFT's files have for them."""

    def __init__(self, atlas: Atlas) -> None:
        self.atlas = atlas

    @cached_property
    def _names(self) -> dict[nn.Module, str]:
        """The base model's modules and their paths in it."""
        return {module: name for name, module in self.atlas.resolved.base.named_modules()}

    @cached_property
    def _paths(self) -> dict[nn.Module, str]:
        """The whole model's modules and their paths in it."""
        return {module: name for name, module in self.atlas.model.named_modules()}

    @cached_property
    def _spots(self) -> dict[nn.Module, tuple[Spot, ...]]:
        """The places of every map with weights."""
        found: dict[nn.Module, tuple[Spot, ...]] = {}
        named = (s for s in self.atlas.spots.values() if s.place.role in LEAF_ROLES)
        for spot in (*named, *self.atlas.unnamed()):
            found[spot.module] = (*found.get(spot.module, ()), spot)
        return found

    def find(self, path: str) -> nn.Module | None:
        """The module of a path, whether or not the model that the file was made for had the same head."""
        if CHILD_PREFIX in path:
            return None
        base = self.atlas.resolved.base
        prefix = f"{getattr(self.atlas.model, 'base_model_prefix', '')}."
        for root, name in ((self.atlas.model, path), (base, path.removeprefix(prefix)), (base, path)):
            found = paths.find(root, name)
            if found is not None:
                return found
        return None

    def path_of(self, module: nn.Module) -> str:
        """A module's path in the whole model."""
        return self._paths[module]

    def inside(self) -> Iterable[nn.Module]:
        """The modules of the base model."""
        return self._names

    def is_inside(self, module: nn.Module) -> bool:
        """True for a module of the base model, False for one of its head."""
        return module in self._names

    def all_maps(self) -> list[tuple[str, nn.Module]]:
        """The base model's maps with weights and their paths in the whole model."""
        inside = ((path, module) for module, path in self._paths.items() if module in self._names)
        return [(path, module) for path, module in inside if path and maps.is_callable_map(module)]

    def target(self, path: str) -> Target:
        """The target of a path. Raises LoadError for a module that is no map of the base model."""
        module = self.find(path)
        if module is None:
            raise LoadError(f"The model has no module {quoted(path)}, which the file adapts.")
        spots = self._spots.get(module, ())
        if not spots:
            raise LoadError(
                f"{path} ({type(module).__name__}) is no map of the base model that adapters can act on here."
            )
        return Target(path, self._names[module], module, spots)

    def aim(self, targets: Sequence[Target]) -> dict[str, Any]:
        """`targets` and `leave_out` for a config that acts on just these: roles where they do, else names."""
        keys = {spot.key for target in targets for spot in target.spots}
        words, left = self.role_words(keys)
        names = {target.name for target in targets if any(spot.key in left for spot in target.spots)}
        exact = {self._exact(name) for name in names}
        return {"targets": (*words, *sorted(exact)), "leave_out": self.layers_without(keys)}

    def can_aim(self, targets: Sequence[Target]) -> bool:
        """True if `aim` can mean just these places; a part of a fused map has no name but its role."""
        _, left = self.role_words({spot.key for target in targets for spot in target.spots})
        return all(spot.key not in left for t in targets if self._is_part(t) for spot in t.spots)

    def _is_part(self, target: Target) -> bool:
        return len(target.spots) < len(self._spots[target.module])

    def role_words(self, keys: Collection[Key]) -> tuple[list[str], set[Key]]:
        """The words that mean nothing but these places in the layers that have any, and the places left."""
        layers = {layer for layer, _ in keys}
        words, left = [], set(keys)
        for word, roles in ROLE_WORDS.items():
            meant = {k for k, s in self.atlas.spots.items() if s.place.role in roles and k[0] in layers}
            if meant and meant <= left:
                words.append(word)
                left -= meant
        return words, left

    def layers_without(self, keys: Iterable[Key]) -> tuple[int, ...]:
        """The layers to leave out: those without any of these places, if any of these is in a layer."""
        layers = {layer for layer, _ in keys if layer >= 0}
        return tuple(n for n in range(self.atlas.num_layers) if n not in layers) if layers else ()

    def _exact(self, name: str) -> str:
        """A module's path, or the expression for it where other paths end in it."""
        same = [path for path in self._names.values() if re.fullmatch(name_pattern(name), path)]
        return name if len(same) == 1 else f"re:{re.escape(name)}"


def rows(spot: Spot, tensor: Tensor) -> Tensor:
    """A place's share of a tensor that goes by the outputs of its map."""
    return tensor if spot.columns is None else tensor[spot.columns.to(tensor.device)]


def check_shape(path: str, name: str, tensor: Tensor, shape: tuple[int, ...]) -> Tensor:
    """The tensor. Raises LoadError if it has another shape."""
    if tuple(tensor.shape) != shape:
        raise LoadError(
            f"The tensor {name!r} of {path} has the shape {list(tensor.shape)}, and {list(shape)} is what "
            "the model needs."
        )
    return tensor
