"""A composition made ready for one point: compiled when adapters are switched, read in every forward.

Compiling drops the adapters that are not present at the point, so that a forward does no look-up by name.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from adapter_lib.engine.part import Part
from adapter_lib.spec.composition import Block, Parallel, Stack
from adapter_lib.spec.errors import CompositionError


@dataclass(frozen=True, slots=True)
class Single:
    """One adapter."""

    part: Part


@dataclass(frozen=True, slots=True)
class Chain:
    """One after the other; an empty chain hands on what it gets."""

    steps: "tuple[Plan, ...]"


@dataclass(frozen=True, slots=True)
class Side:
    """Every child on its own rows; `ends`: the children's last channels, counted from 1."""

    children: "tuple[Plan, ...]"
    ends: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Grouped:
    """All channels in one call of a method's own `grouped`."""

    kind: type[Part]
    groups: tuple[tuple[Part, ...], ...]


Plan = Single | Chain | Side | Grouped


def compile_plan(block: Block | None, parts: Mapping[str, Part]) -> Plan | None:
    """The plan of a composition over the parts at one point; None when nothing of it is there."""
    if block is None or not any(name in parts for name in block.names()):
        return None
    return _grouped(block, parts) or _compile(block, parts)


def _grouped(block: Block, parts: Mapping[str, Part]) -> Grouped | None:
    if block.channels() == 1:
        return None
    present = [parts[name] for name in block.names() if name in parts]
    kind = type(present[0])
    if not kind.is_groupable or any(type(part) is not kind for part in present):
        return None
    groups = tuple(tuple(parts[name] for name in path if name in parts) for path in block.paths())
    return Grouped(kind, groups)


def _compile(node: str | Block, parts: Mapping[str, Part]) -> Plan:
    if isinstance(node, str):
        return Single(parts[node]) if node in parts else Chain(())
    if isinstance(node, Stack):
        return _chain(node, parts)
    if isinstance(node, Parallel):
        return _side(node, parts)
    raise CompositionError(f"The engine has no rule for the block {type(node).__name__}.")


def _chain(node: Stack, parts: Mapping[str, Part]) -> Plan:
    steps = tuple(step for step in (_compile(child, parts) for child in node.children) if step != Chain(()))
    return steps[0] if len(steps) == 1 else Chain(steps)


def _side(node: Parallel, parts: Mapping[str, Part]) -> Plan:
    ends, total = [], 0
    for child in node.children:
        total += child.channels() if isinstance(child, Block) else 1
        ends.append(total)
    return Side(tuple(_compile(child, parts) for child in node.children), tuple(ends))
