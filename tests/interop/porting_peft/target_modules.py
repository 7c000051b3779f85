"""The peer's module paths ↔ our places, and the words by which our configs aim at these."""

import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from torch import Tensor, nn

from adapter_lib.inject import Atlas
from adapter_lib.inject.atlas import Key, Spot
from adapter_lib.spec.configs import Aim
from adapter_lib.spec.configs.targeted import ROLE_WORDS
from tests.interop.porting_peft.checkpoint import NotPortableError


@dataclass(frozen=True)
class Target:
    """A module that the peer adapts, and the places that it is here: several where it is a fused map.

    path: from the whole model, as the peer writes it. name: from the base model, as our configs write it.
    """

    path: str
    name: str
    module: nn.Module
    spots: tuple[Spot, ...]

    @property
    def spot(self) -> Spot:
        """The only place. Raises NotPortableError for a fused map, which our method changes in pieces."""
        if len(self.spots) > 1 or self.spots[0].columns is not None:
            raise NotPortableError(
                f"{self.path} is one matrix to the peer and several maps here; this update cannot be cut."
            )
        return self.spots[0]


def target(path: str, atlas: Atlas) -> Target:
    """The target of a path. Raises NotPortableError for a module that is no map of the base model."""
    module = atlas.model.get_submodule(path)
    names = {found: name for name, found in atlas.resolved.base.named_modules()}
    name = names.get(module)
    spots = tuple(atlas.match(Aim(path, pattern=re.escape(name)))) if name else ()
    if not name or not spots:
        raise NotPortableError(f"{path} ({type(module).__name__}) is no map that adapters can act on here.")
    return Target(path, name, module, spots)


def rows(spot: Spot, tensor: Tensor) -> Tensor:
    """A place's share of a tensor that goes by the outputs of its map."""
    return tensor if spot.columns is None else tensor[spot.columns]


def aimed_at(targets: Sequence[Target], atlas: Atlas) -> dict[str, Any]:
    """`targets` and `leave_out` for a config that acts on exactly these: roles where they do, else names."""
    keys = {spot.key for target in targets for spot in target.spots}
    words, left = role_words(keys, atlas)
    names = {target.name for target in targets if any(spot.key in left for spot in target.spots)}
    return {"targets": (*words, *sorted(names)), "leave_out": layers_without(keys, atlas)}


def role_words(keys: Collection[Key], atlas: Atlas) -> tuple[list[str], set[Key]]:
    """The words that mean nothing but these places in the layers that have any, and the places left over."""
    layers = {layer for layer, _ in keys}
    words, left = [], set(keys)
    for word, roles in ROLE_WORDS.items():
        meant = {k for k, s in atlas.spots.items() if s.place.role in roles and k[0] in layers}
        if meant and meant <= left:
            words.append(word)
            left -= meant
    return words, left


def layers_without(keys: Iterable[Key], atlas: Atlas) -> tuple[int, ...]:
    """The layers to leave out: those without any of these places, where there are such in layers at all."""
    layers = {layer for layer, _ in keys if layer >= 0}
    return tuple(number for number in range(atlas.num_layers) if number not in layers) if layers else ()
