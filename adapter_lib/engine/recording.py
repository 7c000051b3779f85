"""Writing down gates, fusion attentions and route weights when the caller asked for them."""

import torch
from torch import Tensor

from adapter_lib.engine.call import Info
from adapter_lib.spec.configs import Place


def record(info: Info, kind: str, name: str, place: Place, values: Tensor) -> None:
    """Keep values of an adapter or block at a place, [rows, …]; rows that come later are appended."""
    if info.record is None:
        return
    places = info.record.setdefault(kind, {}).setdefault(name, {})
    key = place_name(place)
    found = values.detach()
    # One place is seen several times where the rows are taken in turn, or a module runs twice.
    places[key] = torch.cat([places[key], found]) if key in places else found


def place_name(place: Place) -> str:
    """`layers.3.ffn`, `encoder.embed`: how records and files name a place."""
    return place.key
