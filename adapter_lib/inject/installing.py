"""From a spot of the atlas to a point that hooks the model there."""

from collections.abc import Callable

from adapter_lib.engine import Call
from adapter_lib.inject.atlas import Spot
from adapter_lib.inject.attentions import attention_point
from adapter_lib.inject.prompts import prompt_point
from adapter_lib.points import (
    InputPoint,
    LeafPoint,
    NormPoint,
    OutputPoint,
    Point,
    PositionPoint,
    SitePoint,
)
from adapter_lib.spec.errors import AttachError


def make_point(spot: Spot, call: Call) -> Point:
    """The point for a spot, not yet installed. Raises AttachError for a kind of place nobody serves."""
    maker = _MAKERS.get(spot.place.kind)
    if maker is None:
        raise AttachError(f"Nothing can act at {spot.place.role} yet.")
    return maker(spot, call)


def _leaf(spot: Spot, call: Call) -> Point:
    table = spot.tower.table.layer if spot.tower is not None else None
    tokens_first = table is not None and spot.place.role in table.tokens_first
    return LeafPoint(spot.place, spot.module, call, tokens_first=tokens_first)


def _norm(spot: Spot, call: Call) -> Point:
    return NormPoint(spot.place, spot.module, call)


def _site(spot: Spot, call: Call) -> Point:
    if spot.tower is None:
        raise AttachError(f"The site {spot.place.role} stands outside of all towers.")
    return SitePoint(spot.place, spot.tower.table.layer.sites()[spot.place.role], spot.layer, call)


def _output(spot: Spot, call: Call) -> Point:
    return OutputPoint(spot.place, spot.module, call, spot.layer)


def _input(spot: Spot, call: Call) -> Point:
    return InputPoint(spot.place, spot.module, call, spot.layer)


def _positions(spot: Spot, call: Call) -> Point:
    return PositionPoint(spot.place, spot.module, call, spot.layer)


_MAKERS: dict[str, Callable[[Spot, Call], Point]] = {
    "linear": _leaf,
    "conv": _leaf,
    "embedding": _leaf,
    "logits": _leaf,
    "norm": _norm,
    "site": _site,
    "layer": _output,
    "embed": _output,
    "middle": _input,
    "head": _input,
    "attention": attention_point,
    "prompt": prompt_point,
    "positions": _positions,
}
