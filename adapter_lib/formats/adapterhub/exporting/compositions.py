"""Compositions, as AdapterHub's library writes them: only those that it computes as ours."""

from collections.abc import Iterator, Mapping

from adapter_lib.formats.adapterhub.document import VERSION
from adapter_lib.formats.adapterhub.importing.compositions import SETUP_FILE
from adapter_lib.formats.conversion import ADAPTERHUB, Exported
from adapter_lib.spec.composition import Average, Block, Fuse, Route, Stack
from adapter_lib.spec.configs import BnConfig, InvertibleConfig, MethodConfig, PrefixTuningConfig, members_of
from adapter_lib.spec.errors import LoadError

# What acts one after the other, or side by side, in a Stack there too.
_STACKED = (BnConfig, InvertibleConfig, PrefixTuningConfig)


def export_setup(block: Block, configs: Mapping[str, MethodConfig]) -> Exported:
    """The file of a set-up, whose members stand beside it. Raises LoadError for what differs there."""
    _check(block, configs)
    document = {"adapter_setup": _node(block), "head_setup": None, "version": VERSION}
    return Exported(ADAPTERHUB, {SETUP_FILE: document}, {})


def _node(given: "str | Block") -> dict[str, object]:
    if isinstance(given, str):
        return {"type": "single", "children": [given]}
    node: dict[str, object] = {
        "type": type(given).__name__,
        "children": [_node(child) for child in given.children],
    }
    settings = {} if isinstance(given, Fuse) else given.settings()
    kwargs = {key: list(value) if isinstance(value, tuple) else value for key, value in settings.items()}
    return node | {"kwargs": kwargs} if kwargs else node


def _check(block: Block, configs: Mapping[str, MethodConfig]) -> None:
    for node in block.blocks():
        if isinstance(node, Average):
            raise LoadError("An Average of AdapterHub's library divides by the number of children once more.")
        if isinstance(node, Route):
            raise LoadError("AdapterHub's library has no Route.")
        if isinstance(node, Fuse) and node.key() != ",".join(map(str, node.children)):
            raise LoadError("AdapterHub's library loses the name of a Fuse that is not its adapters' names.")
        if isinstance(node, Stack):
            _check_stack(node, configs)
    if any(isinstance(child, Block) for inner in _inner(block) for child in inner.children):
        raise LoadError(
            "In AdapterHub's library a block inside a block gets what residual and norm were applied to; "
            "only blocks directly below one Stack are the same."
        )


def _inner(block: Block) -> Iterator[Block]:
    """The blocks whose children must be adapters: below a Stack at the top all others, else all."""
    if not isinstance(block, Stack):
        yield block
        return
    for child in block.children:
        if isinstance(child, Block):
            yield child


def _check_stack(block: Stack, configs: Mapping[str, MethodConfig]) -> None:
    """Low-rank updates of one map are multiplied there, where ours adds them."""
    others = [
        name
        for name in block.names()
        if any(not isinstance(member, _STACKED) for member in members_of(configs[name]))
    ]
    if len(others) > 1:
        raise LoadError(
            f"A Stack of AdapterHub's library feeds the update of {others[0]!r} into {others[1]!r}, where "
            "ours adds the two."
        )
