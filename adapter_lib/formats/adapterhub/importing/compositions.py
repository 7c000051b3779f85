"""Compositions, as AdapterHub's library writes them in JSON, and the folders of whole set-ups."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from adapter_lib.formats.reading import read_object
from adapter_lib.spec.composition import Average, Block, Fuse, check_adapter_name, parse_composition
from adapter_lib.spec.errors import LoadError
from adapter_lib.spec.strict_json import quoted

SETUP_FILE = "adapter_setup.json"
_KEYS = {"type", "children", "kwargs"}


@dataclass(frozen=True)
class HubSetup:
    """A set-up's folder: the composition, and the folders of its adapters and fusions by name."""

    composition: Block
    adapters: Mapping[str, Path]
    fusions: Mapping[str, Path]


def is_setup(folder: Path) -> bool:
    """True for the folder of a set-up of AdapterHub's library."""
    return (folder / SETUP_FILE).is_file()


def read_setup(folder: Path) -> HubSetup:
    """What a set-up's folder holds. Raises LoadError or CompositionError."""
    given = read_object(folder / SETUP_FILE).get("adapter_setup")
    composition = composition_of(given)
    adapters = {name: folder / check_adapter_name(name) for name in composition.names()}
    fusions = {
        block.key(): folder / check_adapter_name(block.key())
        for block in composition.blocks()
        if isinstance(block, Fuse)
    }
    return HubSetup(composition, adapters, fusions)


def composition_of(given: Any, *, as_computed: bool = True) -> Block:
    """Ours for the peer's setup.

    as_computed: the peer divides the sum of an Average by the number of its children once more; True says the
    same in our weights, False says what was meant. Raises LoadError or CompositionError.
    """
    return parse_composition(_node(given, as_computed=as_computed))


def _node(given: Any, *, as_computed: bool) -> "str | Block":
    if isinstance(given, str):
        return given
    if not isinstance(given, Mapping) or set(given) - _KEYS or not isinstance(given.get("children"), list):
        raise LoadError(f"{quoted(repr(given))} is no composition as AdapterHub's library writes it.")
    children, settings = given["children"], given.get("kwargs") or {}
    if given.get("type") == "single" and len(children) == 1 and isinstance(children[0], str):
        return children[0]
    nodes = [_node(child, as_computed=as_computed) for child in children]
    if not isinstance(settings, Mapping):
        raise LoadError(f"{quoted(repr(settings))} are no settings of a composition.")
    if given.get("type") == "Average":
        return _average(nodes, settings.get("weights"), as_computed=as_computed)
    return parse_composition({"type": given.get("type"), "children": nodes, **settings})


def _average(nodes: "list[str | Block]", weights: Any, *, as_computed: bool) -> Average:
    """The weights are stored as they act."""
    is_list = isinstance(weights, list) and all(type(weight) in (int, float) for weight in weights)
    if not is_list:
        raise LoadError(f"The weights of an Average must be a list of numbers, not {quoted(repr(weights))}.")
    share = len(nodes) if as_computed else 1
    return Average(*nodes, weights=[weight / share for weight in weights], normalize_weights=False)
