"""From a spot at an attention to the point that knows how this family's attention takes a prefix."""

from collections.abc import Callable

from torch import nn

from adapter_lib.engine import Call
from adapter_lib.families import paths
from adapter_lib.inject.atlas import Spot
from adapter_lib.points import AttentionPoint, CachePoint, DebertaPoint, InterfacePoint, MptPoint
from adapter_lib.spec.errors import AttachError


def attention_point(spot: Spot, call: Call) -> AttentionPoint:
    """The point for an attention, not yet installed. Raises AttachError where no prefix can be put."""
    if spot.tower is None:
        raise AttachError(f"The attention {spot.place.role} stands outside of all towers.")
    table = spot.tower.table.layer
    if table.prefix is None:
        raise AttachError(f"No prefix can be put in front of the keys here: {table.no_prefix}")
    maker = _MAKERS.get(table.prefix)
    if maker is None:
        raise AttachError(f"There is no rule {table.prefix!r} for prefixes.")
    return maker(spot, call)


def _by_cache(cls: type[CachePoint]) -> Callable[[Spot, Call], AttentionPoint]:
    def make(spot: Spot, call: Call) -> AttentionPoint:
        return cls(spot.place, spot.module, call, _output_projection(spot))

    return make


def _output_projection(spot: Spot) -> nn.Module:
    table = None if spot.tower is None else spot.tower.table.layer
    path = "" if table is None else table.leaves().get(f"{spot.place.role}.o", "")
    found = paths.find(spot.layer, path) if path else None
    if found is None:
        raise AttachError(f"The table names no output projection for the attention {spot.place.role}.")
    return found


def _distances(spot: Spot) -> nn.Module | None:
    """The self-attention that makes its tower's bias by distance (T5: the first layer's), if one does."""
    if spot.tower is None or spot.place.role != "attn":
        return None
    path = spot.tower.table.layer.attn
    first = None if path is None else paths.find(spot.tower.layers[0], path)
    makers = (spot.module, first)
    return next((m for m in makers if getattr(m, "has_relative_attention_bias", False)), None)


_MAKERS: dict[str, Callable[[Spot, Call], AttentionPoint]] = {
    "interface": lambda spot, call: InterfacePoint(spot.place, spot.module, call, _distances(spot)),
    "deberta": lambda spot, call: DebertaPoint(spot.place, spot.module, call),
    "cache": _by_cache(CachePoint),
    "mpt": _by_cache(MptPoint),
}
