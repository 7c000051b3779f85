"""A model of ours with AdapterHub's names for its places."""

from dataclasses import dataclass

from torch import Tensor

from adapter_lib.formats.adapterhub.names import PeerNames, PeerTower, names_of
from adapter_lib.inject import Atlas
from adapter_lib.points import maps
from adapter_lib.spec.configs import MethodConfig, Place
from adapter_lib.spec.errors import LoadError


@dataclass(frozen=True)
class Backbone:
    """The places of a model by our roles (`atlas`), and what the peer calls them (`names`)."""

    names: PeerNames
    atlas: Atlas

    @classmethod
    def of(cls, atlas: Atlas) -> "Backbone":
        """Raises LoadError for a type of model that has no names there."""
        return cls(names_of(atlas), atlas)

    def places(self, config: MethodConfig) -> list[Place]:
        """Where a config acts, in the order of the layers."""
        return [spot.place for spot in self.atlas.find(config)]

    def path(self, place: Place) -> str:
        """The peer's module at a place of a layer. Raises LoadError where it has none."""
        tower, layer = self._layer(place)
        if place.role == "layer":
            return tower.layers.format(layer)
        if place.role not in tower.paths:
            raise LoadError(
                f"AdapterHub's library has no adapters at {place.key} of a {self.atlas.resolved.family.name}."
            )
        return f"{tower.layers.format(layer)}.{tower.paths[place.role]}"

    def weight(self, place: Place) -> Tensor:
        """The weight of the map at a place, [out, in]."""
        module = self.atlas.spot((place.layer, place.role)).module
        return maps.as_rows(module, maps.plain_weight(module)).detach()

    def pool(self, place: Place, name: str) -> str:
        """The peer's common prefix for the attentions of a place's kind."""
        tower, _ = self._layer(place)
        before, behind = tower.pools[place.role]
        return f"{before}{name}{behind}"

    def below_root(self, path: str) -> str:
        """A path in the base model."""
        return f"{self.names.root}.{path}" if self.names.root else path

    def fused_part(self, place: Place, letters: str) -> tuple[int, int] | None:
        """(the number of the place among the adapted ones of its map, how many these are), if it is fused.

        letters: those of q, k, v that are adapted, in this order.
        """
        if not self.names.fused or not place.role.startswith("attn."):
            return None
        return letters.index(place.role[-1]), len(letters)

    def _layer(self, place: Place) -> tuple[PeerTower, int]:
        """The tower and the number of the layer within it."""
        for found in self.atlas.resolved.towers:
            if found.first <= place.layer < found.first + len(found.layers):
                return self.names.towers[found.table.role], place.layer - found.first
        raise LoadError(f"AdapterHub's library has no adapters at {place.key}, which is in no layer.")
