"""A model of ours with the peer's names for its places."""

from dataclasses import dataclass

from torch import Tensor

from adapter_lib.inject import Atlas
from adapter_lib.points import maps
from adapter_lib.spec.configs import MethodConfig, Place
from tests.interop.porting.names import PeerNames, PeerTower
from tests.interop.porting.source import PortingError


@dataclass(frozen=True)
class Backbone:
    """The places of a model by our roles (`atlas`), and what the peer calls them (`names`)."""

    names: PeerNames
    atlas: Atlas

    def places(self, config: MethodConfig) -> list[Place]:
        """Where a config acts, in the order of the layers."""
        return [spot.place for spot in self.atlas.find(config)]

    def path(self, place: Place) -> str:
        """The peer's module at a place of a layer. Raises PortingError where it has none."""
        tower, layer = self._layer(place)
        if place.role == "layer":
            return tower.layers.format(layer)
        if place.role not in tower.paths:
            raise PortingError(f"The peer has no adapters at {place.key} of this model.")
        return f"{tower.layers.format(layer)}.{tower.paths[place.role]}"

    def weight(self, place: Place) -> Tensor:
        """The weight of the map at a place, [out, in]."""
        module = self.atlas.spot((place.layer, place.role)).module
        return maps.as_rows(module, maps.plain_weight(module)).detach()

    def pool(self, place: Place, name: str) -> str:
        """The peer's common prefix for the attentions of a place's kind. Raises PortingError."""
        tower, _ = self._layer(place)
        before, behind = tower.pools[place.role]
        return f"{before}{name}{behind}"

    def below_root(self, path: str) -> str:
        """A path in the base model."""
        return f"{self.names.root}.{path}" if self.names.root else path

    def _layer(self, place: Place) -> tuple[PeerTower, int]:
        """The tower and the number of the layer within it."""
        for found in self.atlas.resolved.towers:
            if found.first <= place.layer < found.first + len(found.layers):
                return self.names.towers[found.table.role], place.layer - found.first
        raise PortingError(f"{place.key} is in no layer.")
