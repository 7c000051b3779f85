"""Which adapters act on which cell of a batch: what a composition does to rows and tokens, in small."""

from collections.abc import Iterator, Sequence

from adapter_lib.spec.composition import Average, BatchSplit, Block, MultiTask, Split

# The adapters that act on one row at one token, each with its part of the whole; the parts add up to 1.
Cell = list[tuple[str, float]]
_MOST = 8
_FEWEST_ROWS, _FEWEST_TOKENS = 2, 4


def grid_size(block: Block) -> tuple[int, int]:
    """Rows of one channel and tokens that are enough to show what the blocks do; large batches are scaled."""
    rows, tokens = _FEWEST_ROWS, _FEWEST_TOKENS
    for each in block.blocks():
        if isinstance(each, BatchSplit):
            rows = max(rows, sum(each.batch_sizes))
        if isinstance(each, MultiTask):
            rows = max(rows, len(each.children) + 1)
        if isinstance(each, Split):
            tokens = max(tokens, sum(each.splits))
    return min(rows, _MOST), min(tokens, _MOST)


def acting(node: str | Block, row: int, y: float, x: float) -> Cell:
    """The adapters that act on a cell in a tree of one channel.

    row: its number. y, x: where its middle lies in the rows and in the tokens that the node gets, from 0 up
        to 1.
    """
    return list(_acting(node, row, y, x, 1.0))


def _acting(node: str | Block, row: int, y: float, x: float, part: float) -> Iterator[tuple[str, float]]:
    if not isinstance(node, Block):
        yield node, part
    elif isinstance(node, BatchSplit):
        number, inside = _segment(node.batch_sizes, y)
        yield from _acting(node.children[number], row, inside, x, part)
    elif isinstance(node, Split):
        number, inside = _segment(node.splits, x)
        yield from _acting(node.children[number], row, y, inside, part)
    elif isinstance(node, MultiTask):
        yield from _acting(node.children[row % len(node.children)], row, y, x, part)
    else:
        for child, share in zip(node.children, _shares(node), strict=True):
            yield from _acting(child, row, y, x, part * share)


def _segment(sizes: Sequence[int], at: float) -> tuple[int, float]:
    """In which of the segments the point lies, and where inside of it."""
    total, begin = sum(sizes) or 1, 0.0
    for number, size in enumerate(sizes):
        share = size / total
        if share and at < begin + share:
            return number, (at - begin) / share
        begin += share
    return len(sizes) - 1, 0.5


def _shares(block: Block) -> list[float]:
    """What each child counts: of an Average by the size of its weight, else all the same."""
    sizes = [abs(share) for share in block.shares()] if isinstance(block, Average) else []
    total = sum(sizes)
    return [size / total for size in sizes] if total else [1 / len(block.children)] * len(block.children)
