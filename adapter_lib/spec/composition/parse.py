"""Compositions from what people and files write."""

from collections.abc import Mapping, Sequence
from typing import Any

from adapter_lib.spec.composition.block import Block, check_adapter_name
from adapter_lib.spec.composition.blocks import Average, BatchSplit, MultiTask, Parallel, Split, Stack
from adapter_lib.spec.composition.learned import Fuse, Route
from adapter_lib.spec.errors import CompositionError

_MAX_DEPTH = 32
_ALL: tuple[type[Block], ...] = (Average, BatchSplit, Fuse, MultiTask, Parallel, Route, Split, Stack)
BLOCKS: dict[str, type[Block]] = {block.kind: block for block in _ALL}
# The `adapters` library writes the class's name, and a name as a block "single".
_WRITTEN = BLOCKS | {block.__name__: block for block in _ALL}
_SINGLE = "single"


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


def _from_json(document: Mapping[str, Any], depth: int) -> str | Block:
    kind, children = document.get("type"), document.get("children")
    if not isinstance(children, list | tuple) or "type" not in document:
        raise CompositionError(
            "A block is written {'type': …, 'children': […]} and the block's settings; "
            f"this one has {', '.join(map(repr, document)) or 'nothing'}."
        )
    settings = {name: value for name, value in document.items() if name not in ("type", "children")}
    if kind == _SINGLE and len(children) == 1 and not settings:
        return check_adapter_name(children[0])
    block = _WRITTEN.get(kind) if isinstance(kind, str) else None
    if block is None:
        raise CompositionError(f"There is no composition block {kind!r}; known are: {', '.join(BLOCKS)}.")
    missing = [name for name in block.needs if name not in settings]
    if missing:
        raise CompositionError(f"The block {block.kind} needs its setting {missing[0]}, which is missing.")
    unknown = [name for name in settings if name not in block.takes]
    if unknown:
        known = " and ".join(block.takes) or "none"
        raise CompositionError(
            f"The block {block.kind} has no setting {unknown[0]!r}; its settings: {known}."
        )
    return block(*(_parse(child, depth + 1) for child in children), **settings)
