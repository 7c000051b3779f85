"""A composition made ready for one point: compiled when adapters are switched, read in every forward.

Compiling drops the adapters that are not present at the point, so that a forward does no look-up by name.
"""

from dataclasses import dataclass

from adapter_lib.engine.part import BlockPart, Part


@dataclass(frozen=True, slots=True)
class Single:
    """One adapter."""

    part: Part


@dataclass(frozen=True, slots=True)
class Gated:
    """One adapter whose addition is multiplied by its gate."""

    part: Part
    adapter: str


@dataclass(frozen=True, slots=True)
class Chain:
    """One after the other; an empty chain hands on what it gets."""

    steps: "tuple[Plan, ...]"


@dataclass(frozen=True, slots=True)
class Side:
    """Every child on its own rows; `ends`: where the children's shares end, out of the last of them."""

    children: "tuple[Plan, ...]"
    ends: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Tokens:
    """Every child on its own tokens; `ends`: where the children's tokens end."""

    children: "tuple[Plan, ...]"
    ends: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Mean:
    """The weighted sum of what the children make of the same state."""

    children: "tuple[Plan, ...]"
    shares: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Tasks:
    """Every row through the child of its task."""

    children: "tuple[Plan, ...]"


@dataclass(frozen=True, slots=True)
class Learned:
    """What a block's own parameters make of the children's results; `which`: the children's numbers."""

    part: BlockPart
    children: "tuple[Plan, ...]"
    which: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Grouped:
    """All shares of the rows in one call of a method's own `grouped`."""

    kind: type[Part]
    groups: tuple[tuple[Part, ...], ...]


Plan = Single | Gated | Chain | Side | Tokens | Mean | Tasks | Learned | Grouped

IDENTITY = Chain(())


def cuts_rows(plan: Plan) -> bool:
    """True if different rows go different ways."""
    if isinstance(plan, Side | Tasks | Grouped):
        return True
    if isinstance(plan, Chain):
        return any(cuts_rows(step) for step in plan.steps)
    return not isinstance(plan, Single | Gated) and any(cuts_rows(child) for child in plan.children)
