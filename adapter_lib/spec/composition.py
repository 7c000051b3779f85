"""Composition blocks: immutable trees that say which adapters act on what, without a tensor.

A tree works on *channels*. A single adapter and a Stack of them need one: the batch as it comes. Parallel
gives every child its own copy of the batch, so it needs the sum of its children's channels. Rows are
ordered channel by channel: with N channels and a batch of B, output rows k·B to (k + 1)·B - 1 belong to
channel k, counted in reading order.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar

from adapter_lib.spec.errors import CompositionError

_MAX_DEPTH = 32


class Block:
    """Base of the blocks: `type(children)`, immutable, hashable, equal by type and children."""

    kind: ClassVar[str]
    __slots__ = ("_channels", "children")

    children: "tuple[str | Block, ...]"
    _channels: int

    def __init__(self, *children: "str | Block") -> None:
        if not children:
            raise CompositionError(f"{type(self).__name__} needs at least one adapter.")
        for child in children:
            if not isinstance(child, Block):
                check_adapter_name(child)
        object.__setattr__(self, "children", tuple(children))
        object.__setattr__(self, "_channels", self._count_channels())

    def _count_channels(self) -> int:
        raise NotImplementedError

    def channels(self) -> int:
        """How many copies of the batch the tree works on."""
        return self._channels

    def names(self) -> tuple[str, ...]:
        """The adapters of the tree in reading order, each once."""
        return tuple(dict.fromkeys(self._leaves()))

    def _leaves(self) -> Iterator[str]:
        for child in self.children:
            if isinstance(child, Block):
                yield from child._leaves()
            else:
                yield child

    def paths(self) -> "tuple[tuple[str, ...], ...]":
        """Per channel, the adapters that act on it, in the order they act."""
        raise NotImplementedError

    def to_json(self) -> dict[str, Any]:
        """{"type": "stack", "children": ["a", {…}]}; `parse_composition` reads it back."""
        children = [child.to_json() if isinstance(child, Block) else child for child in self.children]
        return {"type": self.kind, "children": children}

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"{type(self).__name__} is immutable; make a new one.")

    def __reduce__(self) -> "tuple[type[Block], tuple[str | Block, ...]]":
        return type(self), self.children

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and isinstance(other, Block) and self.children == other.children

    def __hash__(self) -> int:
        return hash((self.kind, self.children))

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(repr(child) for child in self.children)})"


class Stack(Block):
    """The children act one after the other: each sees what the one before it made of the sub-layer's output.

    Low-rank updates of one linear map do not feed one another; their stack is the sum of the updates.
    """

    kind = "stack"
    __slots__ = ()

    def _count_channels(self) -> int:
        counts = {channels_of(child) for child in self.children} - {1}
        if len(counts) > 1:
            sizes = " and ".join(str(count) for count in sorted(counts))
            raise CompositionError(
                f"{self!r} stacks blocks of {sizes} channels; they must have equally many, or one."
            )
        return counts.pop() if counts else 1

    def paths(self) -> tuple[tuple[str, ...], ...]:
        found: list[tuple[str, ...]] = [()] * self.channels()
        for child in self.children:
            steps = child.paths() if isinstance(child, Block) else ((child,),)
            spread = steps * self.channels() if len(steps) == 1 else steps
            found = [path + step for path, step in zip(found, spread, strict=True)]
        return tuple(found)


class Parallel(Block):
    """Every child works on its own copy of the batch; the results stand one below the other."""

    kind = "parallel"
    __slots__ = ()

    def _count_channels(self) -> int:
        return sum(channels_of(child) for child in self.children)

    def paths(self) -> tuple[tuple[str, ...], ...]:
        found: list[tuple[str, ...]] = []
        for child in self.children:
            found += child.paths() if isinstance(child, Block) else ((child,),)
        return tuple(found)


BLOCKS: dict[str, type[Block]] = {block.kind: block for block in (Stack, Parallel)}


def channels_of(child: str | Block) -> int:
    """The channels of a child: one for a name."""
    return child.channels() if isinstance(child, Block) else 1


def check_adapter_name(name: object) -> str:
    """The name, if it can be one.

    Raises CompositionError: names are non-empty text without dots or slashes.
    """
    if not isinstance(name, str):
        raise CompositionError(f"An adapter is named by text or by a block, not by {name!r}.")
    if not name or name != name.strip() or len(name) > 96:
        raise CompositionError(
            f"{name!r} cannot name an adapter: use 1 to 96 characters without outer spaces."
        )
    if any(sign in name for sign in "./\\") or not name.isprintable():
        raise CompositionError(
            f"{name!r} cannot name an adapter: dots, slashes and control characters are not allowed."
        )
    return name


def parse_composition(given: "str | Block | Sequence[Any] | Mapping[str, Any]") -> Block:
    """A block from a name, a list of names (a Stack), a block, or the JSON form. Raises CompositionError."""
    node = _parse(given, 0)
    return node if isinstance(node, Block) else Stack(node)


def _parse(given: Any, depth: int) -> str | Block:
    if depth > _MAX_DEPTH:
        raise CompositionError(f"The composition is nested deeper than {_MAX_DEPTH} levels.")
    if isinstance(given, Block):
        return given
    if isinstance(given, Mapping):
        return _from_json(given, depth)
    if isinstance(given, list | tuple):
        return Stack(*(_parse(child, depth + 1) for child in given))
    return check_adapter_name(given)


def _from_json(document: Mapping[str, Any], depth: int) -> Block:
    if set(document) != {"type", "children"} or not isinstance(document["children"], list):
        raise CompositionError(
            "A block is written {'type': …, 'children': […]}, with these two keys and no other."
        )
    block = BLOCKS.get(document["type"]) if isinstance(document["type"], str) else None
    if block is None:
        known = ", ".join(sorted(BLOCKS))
        raise CompositionError(f"There is no composition block {document['type']!r}; known are: {known}.")
    return block(*(_parse(child, depth + 1) for child in document["children"]))
