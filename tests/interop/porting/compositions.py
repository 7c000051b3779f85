"""Compositions, as the peer writes them in JSON."""

from collections.abc import Mapping
from typing import Any

from adapter_lib.spec.composition import Average, Block, parse_composition


def port_setup(given: "str | Mapping[str, Any]", *, as_computed: bool = True) -> Block:
    """Ours for the peer's setup.

    as_computed: the peer divides the sum of an Average by the number of its children once more; True says the
    same in our weights, False says what was meant.
    """
    return parse_composition(_node(given, as_computed=as_computed))


def _node(given: "str | Mapping[str, Any]", *, as_computed: bool) -> "str | Block":
    if isinstance(given, str):
        return given
    if given["type"] == "single":
        (name,) = given["children"]
        return str(name)
    children = [_node(child, as_computed=as_computed) for child in given["children"]]
    settings = dict(given.get("kwargs", {}))
    if given["type"] == "Average":
        # The weights are stored as they act.
        share = len(children) if as_computed else 1
        weights = [weight / share for weight in settings["weights"]]
        return Average(*children, weights=weights, normalize_weights=False)
    return parse_composition({"type": given["type"], "children": children, **settings})
