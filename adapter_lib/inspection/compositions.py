"""Drawing a composition: how a batch goes through its blocks, and who has acted on what behind it."""

from collections.abc import Mapping, Sequence
from typing import Any
from xml.sax.saxutils import escape

from adapter_lib.inspection.acting import Cell, acting, grid_size
from adapter_lib.inspection.drawing import Drawing
from adapter_lib.inspection.flow import Box, Branch, arrow, fanned, framed, leaf, series, text
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
    channel_of,
    parse_composition,
)

# Okabe and Ito's colours, which people who see colours differently tell apart.
_COLOURS = ("#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00")
_MARGIN, _GAP, _CELL, _BETWEEN, _TITLE = 20.0, 34.0, 20.0, 10.0, 26.0
_STYLE = """<style>
.alc-paper{fill:#ffffff}.alc-ink,.alc-dot,.alc-tip{fill:#1b2733}.alc-text{font-size:13px}
.alc-small{font-size:11px;opacity:.85}.alc-head{font-size:11px;font-weight:600}
.alc-line{fill:none;stroke:#1b2733;stroke-opacity:.55;stroke-width:1.4}.alc-aside{stroke-dasharray:4 3}
.alc-tip{fill-opacity:.7}.alc-frame{fill:#1b2733;fill-opacity:.035;stroke:#1b2733;stroke-opacity:.2}
.alc-pill{fill:#ffffff;stroke:#1b2733;stroke-opacity:.45}.alc-cell{fill:#1b2733;fill-opacity:.14}
@media (prefers-color-scheme:dark){.alc-paper{fill:#151b23}.alc-ink,.alc-dot,.alc-tip{fill:#e6edf3}
.alc-line,.alc-frame,.alc-pill{stroke:#e6edf3}.alc-frame,.alc-cell{fill:#e6edf3}.alc-pill{fill:#222b36}}
</style>"""


def plot_composition(
    composition: str | Block | Sequence[Any] | Mapping[str, Any], *, title: str | None = None
) -> Drawing:
    """A picture of a composition: how a batch flows through it, and which adapters acted on which cell.

    composition: a name, a list (a Stack), a block such as `model.active_adapters`, or the JSON form.
    The grids show rows of the batch by tokens; behind a Parallel there is one per channel. A cell has the
    colours of the adapters that acted on it, in an Average as wide as their weights. Which rows a MultiTask
    sends where is an example, and large `batch_sizes` and `splits` are drawn smaller.
    Raises CompositionError for what is no composition.
    """
    block = parse_composition(composition)
    colours = {name: _COLOURS[number % len(_COLOURS)] for number, name in enumerate(block.names())}
    flow = _flow(block, colours)
    rows, tokens = grid_size(block)
    given = _grid([[[]] * tokens for _ in range(rows)], colours)
    made = _channels(block, rows, tokens, colours)
    return _page([given, flow, made], title, repr(block))


def _page(boxes: Sequence[Box], title: str | None, what: str) -> Drawing:
    top = _MARGIN + (_TITLE if title else 0)
    port = top + max(box.port for box in boxes)
    height = port + max(box.height - box.port for box in boxes) + _MARGIN
    x, parts = _MARGIN, []
    for number, box in enumerate(boxes):
        if number:
            parts += arrow(x + 5, port, x + _GAP - 5 if number == len(boxes) - 1 else x + _GAP)
            x += _GAP
        parts += box.draw(x, port - box.port)
        x += box.width
    width = max(x, _MARGIN + len(title or "") * 7.6) + _MARGIN
    return Drawing(
        "\n".join(
            [
                f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height:.0f}" '
                f'width="{width:.0f}" height="{height:.0f}" font-family="system-ui, sans-serif" role="img">',
                f"<title>{escape(title or what)}</title>",
                _STYLE,
                '<rect class="alc-paper" width="100%" height="100%" rx="10"/>',
                *([text(_MARGIN, 26, title, "", "start")] if title else []),
                *parts,
                "</svg>",
            ]
        )
        + "\n"
    )


def _flow(node: str | Block, colours: Mapping[str, str]) -> Box:
    if not isinstance(node, Block):
        return leaf(node, colours[node])
    children = [_flow(child, colours) for child in node.children]
    if isinstance(node, Stack):
        return framed("Stack", series(children)) if len(children) > 1 else children[0]
    before, after = _labels(node)
    branches = [Branch(*each) for each in zip(children, before, after, strict=True)]
    return framed(type(node).__name__, fanned(branches, *_ENDS[type(node)]))


# Where the ways begin, where they end, and what else goes from there to here.
_ENDS: Mapping[type[Block], tuple[str, str, str]] = {
    Parallel: ("copy", "join", ""),
    BatchSplit: ("rows", "join", ""),
    Split: ("tokens", "join", ""),
    MultiTask: ("task", "join", ""),
    Average: ("", "sum", ""),
    Fuse: ("", "sum", "attention: softmax(q · k)"),
    Route: ("", "sum", "gate: softmax(W x + b)"),
}


def _labels(block: Block) -> tuple[list[str], list[str]]:
    """What is written in front of the children and behind them."""
    nothing = [""] * len(block.children)
    if isinstance(block, BatchSplit):
        return [_counted(size, "row") for size in block.batch_sizes], nothing
    if isinstance(block, Split):
        return [_counted(size, "token") for size in block.splits], nothing
    if isinstance(block, MultiTask):
        return [str(number) for number in range(len(nothing))], nothing
    if isinstance(block, Average):
        return nothing, [f"× {share:.3g}" for share in block.shares()]
    if isinstance(block, Fuse | Route):
        return nothing, [f"× p{_subscript(number + 1)}" for number in range(len(nothing))]
    return nothing, nothing


def _counted(count: int, thing: str) -> str:
    return f"{count} {thing}" if count == 1 else f"{count} {thing}s"


def _subscript(number: int) -> str:
    return "".join(chr(0x2080 + int(digit)) for digit in str(number))


def _channels(block: Block, rows: int, tokens: int, colours: Mapping[str, str]) -> Box:
    """What comes out: one grid per channel, one below the other."""
    grids = [
        _grid(_cells(channel_of(block, number), rows, tokens), colours) for number in range(block.channels())
    ]
    labels = [f"channel {number}" for number in range(len(grids))] if len(grids) > 1 else []
    height = sum(grid.height for grid in grids) + _BETWEEN * (len(grids) - 1)

    def draw(x: float, y: float) -> list[str]:
        parts = []
        for number, grid in enumerate(grids):
            parts += grid.draw(x, y)
            if labels:
                parts.append(text(x + grid.width + 8, y + grid.port + 4, labels[number], "small", "start"))
            y += grid.height + _BETWEEN
        return parts

    return Box(grids[0].width + (66 if labels else 0), height, height / 2, draw)


def _cells(tree: str | Block, rows: int, tokens: int) -> list[list[Cell]]:
    return [
        [acting(tree, row, (row + 0.5) / rows, (token + 0.5) / tokens) for token in range(tokens)]
        for row in range(rows)
    ]


def _grid(cells: Sequence[Sequence[Cell]], colours: Mapping[str, str]) -> Box:
    """A batch, rows by tokens."""
    width, height = len(cells[0]) * _CELL, len(cells) * _CELL

    def draw(x: float, y: float) -> list[str]:
        parts = []
        for row, line in enumerate(cells):
            for token, cell in enumerate(line):
                parts += _cell(x + token * _CELL, y + row * _CELL, cell, colours)
        return parts

    return Box(width, height, height / 2, draw)


def _cell(x: float, y: float, cell: Cell, colours: Mapping[str, str]) -> list[str]:
    side = _CELL - 3
    if not cell:
        return [f'<rect class="alc-cell" x="{x:.1f}" y="{y:.1f}" width="{side:.1f}" height="{side:.1f}"/>']
    parts = []
    for name, share in cell:
        parts.append(
            f'<rect x="{x:.2f}" y="{y:.1f}" width="{side * share:.2f}" height="{side:.1f}" '
            f'fill="{colours[name]}"/>'
        )
        x += side * share
    return parts
