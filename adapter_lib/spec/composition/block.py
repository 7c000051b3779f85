"""What all composition blocks have in common: an immutable tree of names with settings."""

from collections.abc import Iterator
from typing import Any, ClassVar, Self, cast

from adapter_lib.spec.errors import CompositionError


class Block:
    """Base of the blocks: immutable, hashable, equal by type, children and settings.

    Subclasses take their settings as keywords, check them, and hand them to this constructor.
    takes, needs: the names of all settings, and of those without a default.
    """

    kind: ClassVar[str]
    takes: ClassVar[tuple[str, ...]] = ()
    needs: ClassVar[tuple[str, ...]] = ()

    children: "tuple[str | Block, ...]"

    def __init__(self, *children: "str | Block", **settings: Any) -> None:
        if not children:
            raise CompositionError(f"{type(self).__name__} needs at least one adapter.")
        for name in settings:
            if name not in self.takes:
                known = " and ".join(self.takes) or "none"
                raise CompositionError(
                    f"{type(self).__name__} has no setting {str(name)!r}; its settings: {known}."
                )
        for child in children:
            if not isinstance(child, Block):
                check_adapter_name(child)
        # Written past __setattr__, which refuses.
        self.__dict__.update(children=tuple(children), _settings=settings, **settings)
        self.__dict__["_channels"] = self._count_channels()

    def settings(self) -> dict[str, Any]:
        """The block's settings by name, in JSON types but for tuples."""
        return dict(cast("dict[str, Any]", self.__dict__["_settings"]))

    def with_children(self, *children: "str | Block") -> Self:
        """The same block over other children."""
        return type(self)(*children, **self.settings())

    def channels(self) -> int:
        """How many copies of the batch the tree works on."""
        return cast("int", self.__dict__["_channels"])

    def names(self) -> tuple[str, ...]:
        """The adapters of the tree in reading order, each once."""
        return tuple(dict.fromkeys(self._leaves()))

    def blocks(self) -> "Iterator[Block]":
        """This block and all below it, in reading order."""
        yield self
        for child in self.children:
            if isinstance(child, Block):
                yield from child.blocks()

    def channel(self, index: int) -> "str | Block":
        """The tree that acts on one channel alone; it works on one copy of the batch."""
        return self.with_children(*(channel_of(child, index) for child in self.children))

    def to_json(self) -> dict[str, Any]:
        """{"type": "stack", "children": ["a", {…}]} and the settings; `parse_composition` reads it back."""
        children = [child.to_json() if isinstance(child, Block) else child for child in self.children]
        settings = {
            name: list(value) if isinstance(value, tuple) else value
            for name, value in self.settings().items()
        }
        return {"type": self.kind, "children": children} | settings

    def _count_channels(self) -> int:
        """Children with several channels must have equally many; the others act on each of them."""
        counts = {channels_of(child) for child in self.children} - {1}
        if len(counts) > 1:
            sizes = " and ".join(str(count) for count in sorted(counts))
            raise CompositionError(
                f"{self!r} joins blocks of {sizes} channels; they must have equally many, or one."
            )
        return counts.pop() if counts else 1

    def _leaves(self) -> Iterator[str]:
        for child in self.children:
            if isinstance(child, Block):
                yield from child._leaves()
            else:
                yield child

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"{type(self).__name__} is immutable; make a new one.")

    def __reduce__(self) -> "tuple[Any, ...]":
        return _rebuild, (type(self), self.children, self.settings())

    def _identity(self) -> tuple[Any, ...]:
        return self.kind, self.children, tuple(sorted(self.settings().items(), key=lambda item: item[0]))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Block) and self._identity() == other._identity()

    def __hash__(self) -> int:
        return hash(self._identity())

    def __repr__(self) -> str:
        shown = [repr(child) for child in self.children]
        shown += [f"{name}={value!r}" for name, value in self.settings().items()]
        return f"{type(self).__name__}({', '.join(shown)})"


def _rebuild(cls: type[Block], children: "tuple[str | Block, ...]", settings: dict[str, Any]) -> Block:
    return cls(*children, **settings)


def channels_of(child: "str | Block") -> int:
    """The channels of a child: one for a name."""
    return child.channels() if isinstance(child, Block) else 1


def channel_of(child: "str | Block", index: int) -> "str | Block":
    """The part of a child that acts on one channel; a child with one channel acts on each."""
    return child.channel(index) if isinstance(child, Block) and child.channels() > 1 else child


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
