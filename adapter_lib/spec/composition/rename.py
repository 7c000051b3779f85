"""A composition with other names."""

from collections.abc import Mapping

from adapter_lib.spec.composition.block import Block
from adapter_lib.spec.composition.learned import LearnedBlock

Learned = Mapping[tuple[str, str], str]


def renamed(block: Block, names: Mapping[str, str], learned: Learned | None = None) -> Block:
    """The same tree with adapters renamed, and learned blocks that have a name of their own.

    learned: names for learned blocks, by kind and key; without it they go by `names` too.
    Raises CompositionError for a name that cannot be.
    """
    children = tuple(
        renamed(child, names, learned) if isinstance(child, Block) else names.get(child, child)
        for child in block.children
    )
    if not isinstance(block, LearnedBlock):
        return block.with_children(*children)
    if learned is not None:
        return type(block)(*children, name=learned[block.kind, block.key()])
    return type(block)(*children, name=None if block.name is None else names.get(block.name, block.name))


def keys_after(before: Block, after: Block) -> dict[tuple[str, str], str]:
    """What the learned blocks of a tree, by kind and key, are called in the same tree renamed."""
    pairs = zip(before.blocks(), after.blocks(), strict=True)
    return {
        (old.kind, old.key()): new.key()
        for old, new in pairs
        if isinstance(old, LearnedBlock) and isinstance(new, LearnedBlock)
    }


def learned_in(block: Block) -> tuple[LearnedBlock, ...]:
    """The learned blocks of a tree in reading order, each (kind, key) once."""
    found = {(node.kind, node.key()): node for node in block.blocks() if isinstance(node, LearnedBlock)}
    return tuple(found.values())
