"""Every place of one model where an adapter may act, told from its family's table and its modules.

Works on models without weights too (meta device), so that an adapter can be checked against a config.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from torch import Tensor, nn

from adapter_lib.families import FoundTower, Resolved, paths
from adapter_lib.inject.layer_places import LayerPlaces, map_place
from adapter_lib.inject.norms import is_norm, norm_width, norms_of
from adapter_lib.points import maps
from adapter_lib.spec.configs import Aim, MethodConfig, Place, members_of
from adapter_lib.spec.configs.targeted import ALL_LINEAR, name_pattern
from adapter_lib.spec.errors import ConfigError, FamilyError, listing
from adapter_lib.spec.roles import (
    EMBED_ROLE,
    HEAD_ROLE,
    LAYER_ROLE,
    LEAF_ROLES,
    LOGITS_ROLE,
    MODULE_PREFIX,
    NORM_ROLE,
    POSITIONS_ROLE,
    PROMPT_ROLE,
    TOKENS_ROLE,
)

Key = tuple[int, str]
"""(layer, role); places of a tower as a whole are (-1, "encoder.embed")."""


@dataclass(frozen=True)
class Spot:
    """A place and the module that it is about.

    layer: the layer's module, or what else lends device and type. tower: None outside of all towers.
    columns: the place's output columns where its map is fused with others, else None.
    model: the towers beside it, for places of a tower as a whole.
    """

    key: Key
    place: Place
    module: nn.Module
    layer: nn.Module
    tower: FoundTower | None = None
    columns: Tensor | None = None
    model: Resolved | None = None


@dataclass
class Atlas:
    """The places of one model by key, found when they are first asked for."""

    resolved: Resolved
    model: nn.Module

    @cached_property
    def spots(self) -> dict[Key, Spot]:
        """All places that have a role, layer by layer."""
        found: dict[Key, Spot] = {}
        for tower in self.resolved.towers:
            for i, layer in enumerate(tower.layers):
                found |= {spot.key: spot for spot in _layer_spots(tower, tower.first + i, layer, self.config)}
            found |= {spot.key: spot for spot in _tower_spots(self.resolved, tower, found)}
        return found | self._head(found)

    @property
    def config(self) -> Any:
        """The model's config, None for a plain module."""
        return getattr(self.resolved.base, "config", None)

    def forget_places(self) -> None:
        """Find the places anew when they are next asked for: a module's widths have changed."""
        self.__dict__.pop("spots", None)

    @property
    def num_layers(self) -> int:
        """The layers of all towers."""
        return self.resolved.num_layers

    def find(self, config: MethodConfig) -> list[Spot]:
        """Where a config acts on this model, in the order of the places.

        Raises FamilyError if something it asks for is not there, ConfigError if it matches no place at all.
        """
        layers = set(config.covered_layers(self.num_layers)) | {-1}
        wanted: dict[Key, Spot] = {}
        for aim in config.aims():
            matched = self.match(aim)
            if not matched and not aim.is_optional:
                raise self._absent(config, aim)
            wanted |= {spot.key: spot for spot in matched if spot.place.layer in layers}
        if not wanted:
            raise ConfigError(f"{config.name()} matches no place: leave_out names all layers.")
        order = {key: number for number, key in enumerate(self.spots)}
        return sorted(wanted.values(), key=lambda spot: order.get(spot.key, len(order)))

    def find_all(self, config: MethodConfig) -> list[Spot]:
        """`find` for every member of a union, or for the one config."""
        return [spot for member in members_of(config) for spot in self.find(member)]

    def match(self, aim: Aim) -> list[Spot]:
        """The places that an aim means."""
        found = self._matching(aim)
        return [spot for spot in found if spot.place.has_bias] if aim.needs_bias else found

    def _matching(self, aim: Aim) -> list[Spot]:
        found = [spot for spot in self.spots.values() if aim.means(spot.place.role)]
        if aim.is_first_tower and found:
            found = [spot for spot in found if spot.place.tower in ("", found[0].place.tower)]
        if aim.skips_encoders:
            attending = {spot.place.tower for spot in self.spots.values() if spot.place.role == "xattn"}
            found = [spot for spot in found if not attending or spot.place.tower in attending]
        if aim.pattern == ALL_LINEAR:
            # A plain module has no layers to keep to.
            first = 0 if self.resolved.towers else -1
            return found + [s for s in self.unnamed() if s.place.kind == "linear" and s.place.layer >= first]
        if not self.resolved.towers and aim.roles:
            # Where there are no roles, a word such as `up` can only be a module's name.
            return self._by_name(name_pattern(aim.word))
        return found + (self._by_name(aim.pattern) if aim.pattern is not None else [])

    def spot(self, key: Key) -> Spot:
        """The place of a key. Raises FamilyError."""
        found = self.spots.get(key) or next((s for s in self.unnamed() if s.key == key), None)
        if found is None:
            raise FamilyError(f"{self.resolved.family.name} has no place {key[1]!r} in layer {key[0]}.")
        return found

    def _by_name(self, pattern: str) -> list[Spot]:
        """The modules whose path matches: under their role where they have one, else under their path."""
        wanted = {
            module for path, module in self._modules() if path and re.fullmatch(pattern, path) is not None
        }
        found = [s for s in self.spots.values() if s.module in wanted and s.place.role in LEAF_ROLES]
        return found + [spot for spot in self.unnamed() if spot.module in wanted]

    def unnamed(self) -> Iterator[Spot]:
        """Maps with weights that have no role."""
        named = {s.module for s in self.spots.values() if s.place.role in LEAF_ROLES}
        numbers = {
            module: tower.first + i
            for tower in self.resolved.towers
            for i, layer in enumerate(tower.layers)
            for module in layer.modules()
        }
        hidden = self._bypassed()
        for path, module in self._modules():
            if module not in named and module not in hidden and maps.is_callable_map(module):
                layer, role = numbers.get(module, -1), MODULE_PREFIX + path
                yield Spot((layer, role), map_place(role, layer, "", module), module, module)

    def _bypassed(self) -> set[nn.Module]:
        """The maps that the model does not call, where a hook would never run."""
        found = (
            paths.find(layer, path)
            for tower in self.resolved.towers
            for layer in tower.layers
            for path in tower.table.layer.bypassed
        )
        return {module for module in found if module is not None}

    def _modules(self) -> list[tuple[str, nn.Module]]:
        found = self.resolved.base.named_modules()
        return [(path, module) for path, module in found if "adapter_lib_" not in path]

    def _head(self, known: dict[Key, Spot]) -> dict[Key, Spot]:
        """What goes into the language-model head, where the model has one; the head, where it is tied."""
        get: Any = getattr(self.model, "get_output_embeddings", None)
        head = get() if get is not None else None
        if not isinstance(head, nn.Module) or not maps.is_map(head):
            return {}
        width, key = maps.widths(head)[0], (-1, HEAD_ROLE)
        found = {key: Spot(key, Place(HEAD_ROLE, -1, width, width, "head"), head, head)}
        tables = [spot.module for spot in known.values() if spot.place.role == TOKENS_ROLE]
        if any(getattr(head, "weight", None) is getattr(table, "weight", table) for table in tables):
            tied = (-1, LOGITS_ROLE)
            found[tied] = Spot(tied, replace(map_place(LOGITS_ROLE, -1, "", head), kind="logits"), head, head)
        return found

    def _absent(self, config: MethodConfig, aim: Aim) -> FamilyError:
        has = listing({spot.place.role for spot in self.spots.values()})
        wanted = " or ".join(aim.roles) or f"module that {aim.word!r} matches"
        if aim.needs_bias:
            wanted = f"bias in {wanted}"
        sentence = f"{self.resolved.family.name} has no {wanted} for {config.name()} to act on; it has {has}."
        return FamilyError(f"{sentence} {aim.hint}".rstrip())


def _layer_spots(tower: FoundTower, number: int, layer: nn.Module, config: Any) -> Iterator[Spot]:
    places = LayerPlaces(tower.table.layer, tower.table.role, number, layer, config).all()
    for role, (place, module, own) in places.items():
        yield Spot((number, role), place, module, layer, tower, own)


def _tower_spots(model: Resolved, tower: FoundTower, known: dict[Key, Spot]) -> Iterator[Spot]:
    base, name, first = model.base, tower.table.role, tower.layers[0]
    width = known[tower.first, LAYER_ROLE].place.width_out
    embed = paths.find(base, tower.table.embed) if tower.table.embed is not None else None
    if embed is not None:
        own = _embedding_width(embed) or width
        yield _tower_spot(
            EMBED_ROLE, tower, Place(EMBED_ROLE, -1, own, own, "embed", tower=name), embed, first
        )
    tokens = paths.find(base, tower.table.tokens) if tower.table.tokens is not None else None
    if tokens is not None:
        yield _tower_spot(TOKENS_ROLE, tower, map_place(TOKENS_ROLE, -1, name, tokens), tokens, first)
    stack = paths.find(base, tower.table.stack)
    if stack is not None:
        own = width if tokens is None else maps.widths(tokens)[1]
        place = Place(PROMPT_ROLE, -1, own, own, "prompt", tower=name)
        yield replace(_tower_spot(PROMPT_ROLE, tower, place, stack, first), model=model)
    if stack is not None and tokens is not None:
        place = Place(POSITIONS_ROLE, -1, width, width, "positions", tower=name)
        yield _tower_spot(POSITIONS_ROLE, tower, place, stack, first)
    norm = paths.find(base, tower.table.norm) if tower.table.norm is not None else None
    if norm is not None and is_norm(norm):
        own, bias = norm_width(norm), maps.plain_bias(norm) is not None
        place = Place(NORM_ROLE, -1, own, own, "norm", tower=name, has_bias=bias)
        yield _tower_spot(NORM_ROLE, tower, place, norm, first)


def _tower_spot(role: str, tower: FoundTower, place: Place, module: nn.Module, layer: nn.Module) -> Spot:
    return Spot((-1, f"{tower.table.role}.{role}"), place, module, layer, tower)


def _embedding_width(embed: nn.Module) -> int | None:
    """The width of what an embedding module gives: that of its last norm, or of its embeddings."""
    norms = norms_of(embed)
    if norms:
        return norm_width(norms[-1])
    tables = [module for module in embed.modules() if isinstance(module, nn.Embedding)]
    return tables[0].embedding_dim if tables else None
