"""What porting makes: tensors by place or shared, under the names that our methods give them."""

from collections.abc import Iterable, Mapping
from typing import Any

from torch import Tensor

from adapter_lib.formats.expected import shared_key, tensor_key
from adapter_lib.spec.configs import Place

# None instead of a place: what all places share.
PlaceTensors = tuple[Place | None, Mapping[str, Tensor]]


def native(found: Iterable[PlaceTensors], number: str = "") -> dict[str, Tensor]:
    """Tensors by the keys of our own files; `number` is the member's in a union."""
    tensors: dict[str, Tensor] = {}
    for place, own in found:
        for name, value in own.items():
            inner = f"{number}.{name}" if number else name
            key: Any = shared_key(number, name) if place is None else tensor_key(place_key(place), inner)
            tensors[key] = value
    return tensors


def place_key(place: Place) -> tuple[int, str]:
    """The key of a place in an atlas."""
    whole = f"{place.tower}.{place.role}" if place.layer < 0 and place.tower else place.role
    return place.layer, whole
