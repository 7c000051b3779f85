"""Boxes, lines and labels from which a flow from left to right is put together, as SVG."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape

_LEAF_HEIGHT, _PILL_HEIGHT, _GAP, _CURVE, _ROW_GAP = 32.0, 22.0, 30.0, 30.0, 14.0
_PAD, _HEAD = 14.0, 30.0
_LETTER, _SMALL = 7.6, 6.4  # usual widths of a letter of 13 and of 11 pixels
_LONGEST = 18
_TIP = 6.0


@dataclass(frozen=True)
class Box:
    """A part of a picture. draw: (left, top) → SVG. port: how far below its top a line goes in and out."""

    width: float
    height: float
    port: float
    draw: Callable[[float, float], list[str]]


@dataclass(frozen=True)
class Branch:
    """One of several ways through a block, with what is written where it begins and where it ends."""

    box: Box
    before: str = ""
    after: str = ""


def text(x: float, y: float, words: str, kind: str = "", anchor: str = "middle") -> str:
    """Words on a base line. kind: "small", "head" or nothing."""
    return (
        f'<text class="alc-ink alc-{kind or "text"}" x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">'
        f"{escape(words)}</text>"
    )


def arrow(x: float, y: float, end: float) -> list[str]:
    """A straight line to the right with a tip."""
    return [_line(x, y, end - _TIP, y), _tip(end, y)]


def leaf(name: str, colour: str) -> Box:
    """An adapter."""
    shown = name if len(name) <= _LONGEST else name[: _LONGEST - 1] + "…"
    width = max(52.0, len(shown) * _LETTER + 26)

    def draw(x: float, y: float) -> list[str]:
        return [
            f'<g><title>{escape(name)}</title><rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" '
            f'height="{_LEAF_HEIGHT:.0f}" rx="8" fill="{colour}" fill-opacity="0.2" stroke="{colour}" '
            f'stroke-width="1.5"/>{text(x + width / 2, y + 21, shown)}</g>'
        ]

    return Box(width, _LEAF_HEIGHT, _LEAF_HEIGHT / 2, draw)


def series(boxes: Sequence[Box]) -> Box:
    """One after the other."""
    port = max(box.port for box in boxes)
    below = max(box.height - box.port for box in boxes)
    width = sum(box.width for box in boxes) + _GAP * (len(boxes) - 1)

    def draw(x: float, y: float) -> list[str]:
        parts: list[str] = []
        for number, box in enumerate(boxes):
            if number:
                parts += arrow(x, y + port, x + _GAP)
                x += _GAP
            parts += box.draw(x, y + port - box.port)
            x += box.width
        return parts

    return Box(width, port + below, port, draw)


def framed(label: str, inner: Box) -> Box:
    """A block: a frame with its name above what it holds."""
    width = max(inner.width + 2 * _PAD, len(label) * _SMALL + 2 * _PAD)
    height = inner.height + _HEAD + _PAD

    def draw(x: float, y: float) -> list[str]:
        left = x + (width - inner.width) / 2
        port = y + _HEAD + inner.port
        return [
            f'<rect class="alc-frame" x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}" '
            'rx="12"/>',
            text(x + _PAD, y + 19, label, "head", "start"),
            _line(x, port, left, port),
            *inner.draw(left, y + _HEAD),
            _line(left + inner.width, port, x + width, port),
        ]

    return Box(width, height, _HEAD + inner.port, draw)


def fanned(branches: Sequence[Branch], fork: str, join: str, aside: str = "") -> Box:
    """Several ways from a fork to a join. aside: what else goes from the fork to the join, below them."""
    return _Fan(branches, fork, join, aside).box()


class _Fan:
    """The places of a fan's parts."""

    def __init__(self, branches: Sequence[Branch], fork: str, join: str, aside: str) -> None:
        self.branches, self.aside = branches, aside
        self.fork, self.join = _pill(fork), _pill(join)
        self.before = max(len(each.before) for each in branches) * _SMALL + 12
        self.after = max(len(each.after) for each in branches) * _SMALL + 12
        self.middle = max(each.box.width for each in branches)
        ends = self.fork.width + self.join.width + 2 * _CURVE + self.before + self.after
        if aside:  # its pill lies between the ends, with room for the corners of its line
            self.middle = max(self.middle, _pill(aside).width + 3 * _GAP - ends)
        heights = [each.box.height for each in branches]
        self.ways = sum(heights) + _ROW_GAP * (len(heights) - 1)
        self.width = ends + self.middle

    def box(self) -> Box:
        height = self.ways + (_ROW_GAP + _PILL_HEIGHT if self.aside else 0.0)
        return Box(self.width, height, self.ways / 2, self.draw)

    def draw(self, x: float, y: float) -> list[str]:
        port, top, parts = y + self.ways / 2, y, []
        for branch in self.branches:
            parts += self._way(branch, x, port, top)
            top += branch.box.height + _ROW_GAP
        if self.aside:
            parts += self._beside(x, port, top + _PILL_HEIGHT / 2)
        join = x + self.width - self.join.width
        for pill, left in ((self.fork, x), (self.join, join)):
            parts += pill.draw(left, port - pill.port)
        return parts

    def _way(self, branch: Branch, x: float, port: float, top: float) -> list[str]:
        level = top + branch.box.port
        begin = x + self.fork.width
        first = begin + _CURVE
        left = first + self.before + (self.middle - branch.box.width) / 2
        right = left + branch.box.width
        last = x + self.width - self.join.width - _CURVE
        return [
            _curve(begin, port, first, level),
            *arrow(first, level, left),
            *branch.box.draw(left, top),
            _line(right, level, last, level),
            _curve(last, level, last + _CURVE, port),
            *_label(first + 2, level - 6, branch.before, "start"),
            *_label(last - 2, level - 6, branch.after, "end"),
        ]

    def _beside(self, x: float, port: float, level: float) -> list[str]:
        begin, end = x + self.fork.width / 2, x + self.width - self.join.width / 2
        pill = _pill(self.aside)
        turn = 12
        path = f"M{begin:.1f} {port:.1f}V{level - turn:.1f}q0 {turn} {turn} {turn}"
        path += f"H{end - turn:.1f}q{turn} 0 {turn} {-turn}V{port + _PILL_HEIGHT / 2:.1f}"
        middle = (begin + end) / 2
        drawn = pill.draw(middle - pill.width / 2, level - pill.port)
        return [f'<path class="alc-line alc-aside" d="{path}"/>', *drawn]


def _pill(words: str) -> Box:
    """What a block does where its ways begin or end; without words, a point."""
    if not words:
        dot = '<circle class="alc-dot" cx="{:.1f}" cy="{:.1f}" r="3.5"/>'
        return Box(
            8.0, _PILL_HEIGHT, _PILL_HEIGHT / 2, lambda x, y: [dot.format(x + 4, y + _PILL_HEIGHT / 2)]
        )
    width = len(words) * _SMALL + 18

    def draw(x: float, y: float) -> list[str]:
        shape = f'x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{_PILL_HEIGHT:.0f}" rx="11"'
        return [f'<rect class="alc-pill" {shape}/>', text(x + width / 2, y + 15, words, "small")]

    return Box(width, _PILL_HEIGHT, _PILL_HEIGHT / 2, draw)


def _label(x: float, y: float, words: str, anchor: str) -> list[str]:
    return [text(x, y, words, "small", anchor)] if words else []


def _line(x: float, y: float, right: float, below: float) -> str:
    return f'<path class="alc-line" d="M{x:.1f} {y:.1f}L{right:.1f} {below:.1f}"/>'


def _curve(x: float, y: float, right: float, below: float) -> str:
    middle = (x + right) / 2
    bend = f"C{middle:.1f} {y:.1f} {middle:.1f} {below:.1f} {right:.1f} {below:.1f}"
    return f'<path class="alc-line" d="M{x:.1f} {y:.1f}{bend}"/>'


def _tip(x: float, y: float) -> str:
    corners = f"M{x:.1f} {y:.1f}l{-_TIP - 1:.1f} {-_TIP * 0.6:.1f}v{_TIP * 1.2:.1f}z"
    return f'<path class="alc-tip" d="{corners}"/>'
