"""From a composition and the parts present at a point to a plan."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import TypeVar

from adapter_lib.engine.part import BlockPart, Part, Several
from adapter_lib.engine.plan import (
    IDENTITY,
    Chain,
    Gated,
    Grouped,
    Learned,
    Mean,
    Plan,
    Side,
    Single,
    Tasks,
    Tokens,
)
from adapter_lib.spec.composition import (
    Average,
    BatchSplit,
    Block,
    LearnedBlock,
    MultiTask,
    Parallel,
    Split,
    Stack,
    channels_of,
)
from adapter_lib.spec.errors import CompositionError

T = TypeVar("T")


@dataclass(frozen=True)
class Present:
    """What there is at one point.

    parts: by adapter. blocks: the parameters of learned blocks, by the block's kind and key.
    is_reversed: what is stacked acts in reverse order here, because it undoes what was done elsewhere.
    """

    parts: Mapping[str, Part | Several]
    blocks: Mapping[tuple[str, str], BlockPart]
    is_reversed: bool = False


def compile_plan(block: Block | None, present: Present) -> Plan | None:
    """The plan of a composition at one point; None when nothing of it is there."""
    if block is None or not any(name in present.parts for name in block.names()):
        return None
    return _grouped(block, present) or _compile(block, present)


def _compile(node: str | Block, present: Present) -> Plan:
    if isinstance(node, str):
        return _named(node, present)
    if isinstance(node, Stack):
        return _chain([_step(child, present, node.channels()) for child in _ordered(node.children, present)])
    if isinstance(node, Parallel):
        return _parallel(node, present)
    if not any(name in present.parts for name in node.names()):
        return IDENTITY
    if node.channels() > 1:
        channels = node.channels()
        alone = (node.channel(index) for index in range(channels))
        return Side(tuple(_compile(tree, present) for tree in alone), tuple(range(1, channels + 1)))
    return _pointwise(node, present)


def _step(child: str | Block, present: Present, channels: int) -> Plan:
    """One step of a Stack; one that cuts the batch does so in each of the Stack's channels."""
    plan = _compile(child, present)
    if channels_of(child) == channels or plan == IDENTITY or not _cuts_batch(child):
        return plan
    return Side((plan,) * channels, tuple(range(1, channels + 1)))


def _cuts_batch(child: str | Block) -> bool:
    return isinstance(child, Block) and any(isinstance(node, BatchSplit) for node in child.blocks())


def _named(name: str, present: Present) -> Plan:
    part = present.parts.get(name)
    if part is None:
        return IDENTITY
    if isinstance(part, Several):
        return _chain([_acting(member, name) for member in _ordered(part.members(), present)])
    return _acting(part, name)


def _acting(part: Part, name: str) -> Plan:
    return Single(part) if part.gate is None or part.gates_itself else Gated(part, name)


def _ordered(steps: Sequence[T], present: Present) -> Sequence[T]:
    return steps[::-1] if present.is_reversed else steps


def _chain(steps: list[Plan]) -> Plan:
    acting = tuple(step for step in steps if step != IDENTITY)
    return acting[0] if len(acting) == 1 else Chain(acting)


def _parallel(node: Parallel, present: Present) -> Plan:
    ends = accumulate(channels_of(child) for child in node.children)
    return Side(tuple(_compile(child, present) for child in node.children), tuple(ends))


def _pointwise(node: Block, present: Present) -> Plan:
    children = tuple(_compile(child, present) for child in node.children)
    if isinstance(node, BatchSplit):
        return Side(children, tuple(accumulate(node.batch_sizes)))
    if isinstance(node, Split):
        return Tokens(children, tuple(accumulate(node.splits)))
    if isinstance(node, Average):
        return Mean(children, node.shares())
    if isinstance(node, MultiTask):
        return Tasks(children)
    if isinstance(node, LearnedBlock):
        return _learned(node, children, present)
    raise CompositionError(f"The engine has no rule for the block {type(node).__name__}.")


def _learned(node: LearnedBlock, children: tuple[Plan, ...], present: Present) -> Plan:
    part = present.blocks.get((node.kind, node.key()))
    if part is None:
        raise CompositionError(
            f"{node!r} has no parameters under the name {node.key()!r}; "
            f"add_{'adapter_fusion' if node.kind == 'fuse' else node.kind}() adds them."
        )
    if part.count != len(node.children):
        raise CompositionError(
            f"{node!r} has {len(node.children)} children, but the parameters under the name {node.key()!r} "
            f"are for {part.count}."
        )
    # A child that is not here has nothing to say; the others are asked.
    which = tuple(index for index, child in enumerate(children) if child != IDENTITY)
    return Learned(part, tuple(children[index] for index in which), which)


def _grouped(block: Block, present: Present) -> Grouped | None:
    """One call for all shares of the rows, where every share only stacks parts that can be grouped."""
    paths = _paths(block)
    if paths is None or len(paths) == 1:
        return None
    in_order = [_ordered(path, present) for path in paths]
    groups = tuple(tuple(present.parts[name] for name in path if name in present.parts) for path in in_order)
    kind = next(type(part) for group in groups for part in group)
    alike = tuple(tuple(p for p in group if isinstance(p, Part) and type(p) is kind) for group in groups)
    if alike != groups or not all(part.can_group() for group in alike for part in group):
        return None
    first = next(part for group in alike for part in group)
    return Grouped(type(first), alike) if first.fit_together(alike) else None


def _paths(node: str | Block) -> tuple[tuple[str, ...], ...] | None:
    """Per equal share of the rows, the adapters that act on it in order; None if it is not that simple."""
    if isinstance(node, str):
        return ((node,),)
    children = [_paths(child) for child in node.children]
    if any(child is None for child in children):
        return None
    known = [child for child in children if child is not None]
    if isinstance(node, Stack):
        is_cut_in_channels = node.channels() > 1 and any(map(_cuts_batch, node.children))
        return None if is_cut_in_channels else _stacked(known, node.channels())
    if isinstance(node, Parallel):
        counts = zip(known, node.children, strict=True)
        is_even = len({len(paths) / channels_of(child) for paths, child in counts}) == 1
        return tuple(path for child in known for path in child) if is_even else None
    is_even = (
        isinstance(node, BatchSplit)
        and node.channels() == 1
        and len(set(node.batch_sizes)) == len({len(child) for child in known}) == 1
    )
    return tuple(path for child in known for path in child) if is_even else None


def _stacked(
    children: list[tuple[tuple[str, ...], ...]], channels: int
) -> tuple[tuple[str, ...], ...] | None:
    shares = max(len(child) for child in children)
    if any(len(child) not in (1, shares) for child in children):
        return None
    found: list[tuple[str, ...]] = [()] * max(shares, channels)
    for child in children:
        spread = child * len(found) if len(child) == 1 else child
        found = [path + step for path, step in zip(found, spread, strict=True)]
    return tuple(found)
