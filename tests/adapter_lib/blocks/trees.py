"""Random compositions, and what of one is left for a single row of a single copy of the batch."""

from random import Random

from adapter_lib.spec.composition import (
    Average,
    BatchSplit,
    Block,
    Fuse,
    MultiTask,
    Parallel,
    Route,
    Split,
    Stack,
    channels_of,
)

Tree = str | Block


class Grower:
    """Makes trees whose sizes fit a batch of so many rows and tokens."""

    def __init__(self, seed: int, names: str, tokens: int, *, learns: bool) -> None:
        self.random = Random(seed)
        self.names = names
        self.tokens = tokens
        self.learns = learns
        self.count = 0

    def grow(self, depth: int, channels: int, rows: int | None, tokens: int | None = None) -> Tree:
        """A tree of at most `depth` blocks one within the other. rows: None where nobody knows how many."""
        tokens = self.tokens if tokens is None else tokens
        if depth == 0 or (channels == 1 and self.random.random() < 0.2):
            leaves = [self.random.choice(self.names) for _ in range(channels)]
            return leaves[0] if channels == 1 else Parallel(*leaves)
        if channels > 1 and (depth == 1 or self.random.random() < 0.5):
            parts = self._parts(channels, self.random.randint(2, channels), least=1)
            return Parallel(*(self.grow(depth - 1, part, rows, tokens) for part in parts))
        kinds: list[type[Block]] = [Stack, Average, MultiTask, Split]
        kinds += [BatchSplit] if rows is not None else []
        kinds += [Fuse, Route] if self.learns else []
        return self._block(self.random.choice(kinds), depth, channels, rows, tokens)

    def _block(self, kind: type[Block], depth: int, channels: int, rows: int | None, tokens: int) -> Block:
        count = self.random.randint(2, 3)
        widths = [self.random.choice([1, channels]) for _ in range(count)]
        widths[self.random.randrange(count)] = channels
        heights = [None if kind is MultiTask else rows] * count
        lengths = [tokens] * count
        settings: dict[str, object] = {}
        if kind is BatchSplit:
            heights = list(self._parts(rows or 0, count))
            settings = {"batch_sizes": heights}
        elif kind is Split:
            lengths = self._parts(tokens, count)
            settings = {"splits": lengths}
        elif kind is Average and self.random.random() < 0.5:
            settings = {"weights": [self.random.uniform(0.1, 2) for _ in range(count)]}
        elif kind in (Fuse, Route):
            self.count += 1
            settings = {"name": f"learned {self.count}"}
        sizes = zip(widths, heights, lengths, strict=True)
        return kind(*(self.grow(depth - 1, *size) for size in sizes), **settings)

    def _parts(self, total: int, count: int, least: int = 0) -> list[int]:
        parts = [least] * count
        for _ in range(total - least * count):
            parts[self.random.randrange(count)] += 1
        return parts


def alone(tree: Tree, channel: int, row: int, task: int) -> Tree:
    """The tree that acts on one row of one copy: no block in it tells rows apart."""
    own = tree.channel(channel) if isinstance(tree, Block) and channels_of(tree) > 1 else tree
    return _of_row(own, row, task)


def _of_row(tree: Tree, row: int, task: int) -> Tree:
    if isinstance(tree, str):
        return tree
    if isinstance(tree, MultiTask):
        return _of_row(tree.children[task], row, task)
    if isinstance(tree, BatchSplit):
        for child, size in zip(tree.children, tree.batch_sizes, strict=True):
            if row < size:
                return _of_row(child, row, task)
            row -= size
    if isinstance(tree, Fuse | Route):
        return type(tree)(*(_of_row(child, row, task) for child in tree.children), name=tree.key())
    return tree.with_children(*(_of_row(child, row, task) for child in tree.children))
