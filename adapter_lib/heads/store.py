"""The heads of one model, by name; a head that has an adapter's name travels with it."""

from typing import Any

from torch import Tensor, nn

from adapter_lib.heads.base import Head
from adapter_lib.heads.registry import make_head
from adapter_lib.spec.composition import BatchSplit, Block, MultiTask, Stack
from adapter_lib.spec.errors import CompositionError, UnknownNameError, listing
from adapter_lib.spec.heads import HeadSpec

_HEAD = "head:"


class HeadStore(nn.Module):
    """Holds heads as children whose names no model uses."""

    def __init__(self, hidden_size: int) -> None:
        super().__init__()
        self.hidden_size = hidden_size

    def names(self) -> tuple[str, ...]:
        """The heads there are."""
        return tuple(name.removeprefix(_HEAD) for name, _ in self.named_children())

    def add(self, name: str, spec: HeadSpec, like: Tensor) -> Head[Any]:
        """Make a head; one of this name is replaced."""
        head = make_head(spec, self.hidden_size, like)
        self.add_module(_HEAD + name, head.train(self.training))
        return head

    def get(self, name: str) -> Head[Any]:
        """The head of a name. Raises UnknownNameError listing what exists."""
        found = getattr(self, _HEAD + name, None)
        if not isinstance(found, Head):
            raise UnknownNameError(f"There is no head {name!r}; there are: {listing(self.names())}.")
        return found

    def remove(self, name: str) -> None:
        """Drop a head. Raises UnknownNameError."""
        self.get(name)
        delattr(self, _HEAD + name)

    def rename(self, name: str, new: str) -> None:
        """Call a head by another name, which is free. Raises UnknownNameError."""
        head = self.get(name)
        self.remove(name)
        self.add_module(_HEAD + new, head)

    def of_composition(self, block: Block | None) -> tuple[str, ...]:
        """The heads that go with a composition, one per share: that of the last adapter that has one.

        Raises CompositionError when some shares have a head and others have not.
        """
        if block is None:
            return ()
        known = set(self.names())
        found = [next((n for n in reversed(names) if n in known), None) for names in shares_of(block)]
        heads = tuple(name for name in found if name is not None)
        if heads and len(heads) < len(found):
            raise CompositionError(
                f"{block!r} mixes adapters with and without a head; add the missing heads, or choose with "
                "set_active_adapters(…, head=…)."
            )
        return heads


def shares_of(block: Block) -> list[tuple[str, ...]]:
    """The adapters of each share of the rows that may have its own head: a part, a task, a channel."""
    split = row_split(block)
    trees = split.children if split is not None else [block.channel(i) for i in range(block.channels())]
    return [tree.names() if isinstance(tree, Block) else (tree,) for tree in trees]


def row_split(block: Block | None) -> BatchSplit | MultiTask | None:
    """The BatchSplit or MultiTask over one copy of the batch that a composition is, if it is nothing else."""
    while isinstance(block, Stack) and len(block.children) == 1 and isinstance(block.children[0], Block):
        block = block.children[0]
    return block if isinstance(block, BatchSplit | MultiTask) and block.channels() == 1 else None
