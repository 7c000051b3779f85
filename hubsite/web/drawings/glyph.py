"""The glyph: one transformer layer as boxes, filled where an adapter acts.

Attention runs along the upper row (q k v, o, norm), the feed-forward along the lower (up, down, norm), each
with a slot behind it where a bottleneck sits. The height of a fill grows with the rank, the waist of a
bottleneck with its width. The dots at the left are the backbone's layers, bottom first.
"""

import math
from dataclasses import dataclass

from django.utils.safestring import SafeString

from hubsite.web.drawings.svg import Value, drawing, element

BOX = 14.0
ROW_TOP = {"attn": 4.0, "ffn": 22.0}
_LEFT = 20.0
# Leaf: role -> (x, width, label), x from the left edge of the layer.
_LEAVES: dict[str, tuple[float, float, str]] = {
    "attn.q": (0, BOX, "q"),
    "attn.k": (17, BOX, "k"),
    "attn.v": (34, BOX, "v"),
    "attn.o": (54, BOX, "o"),
    "ffn.up": (0, 31, "up"),
    "ffn.down": (37, 31, "down"),
}
_SITE_X, _SITE_WIDTH, _NORM_X, _NORM_WIDTH = 71.0, 11.0, 85.0, 6.0
_WIDTH, _HEIGHT = 116, 40
# A parallel bottleneck runs beneath the lower row.
_ROOM_BENEATH = 6
_DOTS_PER_COLUMN = 12
# Ranks and reduction factors are drawn on a log scale up to these.
_FULL_RANK, _LEAST_REDUCTION = 64, 64


@dataclass(frozen=True)
class GlyphFacts:
    """What the glyph shows. `fill` is 0 to 1; `layers` are indices below `num_layers`."""

    hue: str
    roles: frozenset[str]
    fill: float
    layers: tuple[int, ...]
    num_layers: int
    parallel: bool
    words: str


def rank_fill(rank: float) -> float:
    """Height of a fill for a low-rank method: 1 at rank 64 and above, never invisible."""
    return min(1.0, max(0.15, math.log2(1 + rank) / math.log2(1 + _FULL_RANK)))


def reduction_fill(factor: float) -> float:
    """Width of a bottleneck's waist from its reduction factor: 1 at 1, least at 64 and above."""
    return min(1.0, max(0.15, 1 - math.log2(max(factor, 1)) / math.log2(_LEAST_REDUCTION)))


def glyph(facts: GlyphFacts, *, large: bool = False) -> SafeString:
    """The drawing as SVG; `large` adds the letters of the boxes."""
    parts = [*_dots(facts), _frame(facts), *_rails()]
    parts += [_leaf(role, facts, large=large) for role in _LEAVES]
    if "ffn.gate" in facts.roles:
        parts.append(_gate(facts))
    parts += [_norm(top, large=large) for top in ROW_TOP.values()]
    parts += [_site(row, facts) for row, role in (("attn", "mh"), ("ffn", "ffn")) if role in facts.roles]
    size = "large" if large else "small"
    attributes: dict[str, Value] = {
        "class": f"glyph glyph-{size} hue-{facts.hue}",
        "viewBox": f"0 0 {_WIDTH} {_height(facts)}",
    }
    return drawing(attributes, facts.words, "", *parts)


def _height(facts: GlyphFacts) -> int:
    return _HEIGHT + (_ROOM_BENEATH if facts.parallel else 0)


def _frame(facts: GlyphFacts) -> SafeString:
    width = _NORM_X + _NORM_WIDTH + 7
    return element(
        "rect",
        {
            "class": "g-frame",
            "x": _LEFT - 3.5,
            "y": 0.5,
            "width": width,
            "height": _height(facts) - 1,
            "rx": 3,
        },
    )


def _rails() -> list[SafeString]:
    """The path of the hidden state behind the boxes."""
    end = _LEFT + _NORM_X + _NORM_WIDTH
    return [
        element("path", {"class": "g-rail", "d": f"M{_LEFT:g} {top + BOX / 2:g}H{end:g}"})
        for top in ROW_TOP.values()
    ]


def _leaf(role: str, facts: GlyphFacts, *, large: bool) -> SafeString:
    x, width, label = _LEAVES[role]
    top = ROW_TOP[role.split(".")[0]]
    parts = [_rect("g-box", x, top, width, BOX)]
    if role in facts.roles:
        height = max(2.0, facts.fill * BOX)
        parts.append(_rect("g-tint", x, top, width, BOX))
        parts.append(_rect("g-fill", x, top + BOX - height, width, height))
        parts.append(_rect("g-edge", x, top, width, BOX))
    if large:
        parts.append(_letter(x + width / 2, top, label))
    return element("g", None, *parts)


def _gate(facts: GlyphFacts) -> SafeString:
    """The gate of a gated feed-forward shares the place of `up`, as a bar along its upper edge."""
    return _rect("g-fill", 0, ROW_TOP["ffn"], _LEAVES["ffn.up"][1], max(2.0, facts.fill * BOX / 3))


def _rect(name: str, x: float, y: float, width: float, height: float) -> SafeString:
    return element(
        "rect", {"class": name, "x": _LEFT + x, "y": y, "width": width, "height": height, "rx": 1.5}
    )


def _norm(top: float, *, large: bool) -> SafeString:
    box = _rect("g-norm", _NORM_X, top, _NORM_WIDTH, BOX)
    return element("g", None, box, _letter(_NORM_X + _NORM_WIDTH / 2, top, "n")) if large else box


def _letter(x: float, top: float, text: str) -> SafeString:
    return element("text", {"class": "g-letter", "x": _LEFT + x, "y": top + 9.2}, text)


def _site(row: str, facts: GlyphFacts) -> SafeString:
    """A bottleneck: behind the sub-layer, or beneath it when it runs in parallel."""
    waist = max(1.5, facts.fill * BOX)
    if facts.parallel:
        return _parallel(row, waist / 2)
    return element(
        "path", {"class": "g-fill", "d": _hourglass(_LEFT + _SITE_X, ROW_TOP[row], _SITE_WIDTH, BOX, waist)}
    )


def _parallel(row: str, waist: float) -> SafeString:
    top = ROW_TOP[row]
    below = top + BOX + 4.5 if row == "ffn" else top + BOX + 2
    left, right = _LEFT - 1, _LEFT + _SITE_X + 4
    middle = top + BOX / 2
    branch = f"M{left:g} {middle:g}V{below:g}H{right:g}V{middle:g}"
    shape = _hourglass(_LEFT + 24, below - 3.5, 22, 7, waist)
    return element(
        "g",
        None,
        element("path", {"class": "g-branch", "d": branch}),
        element("path", {"class": "g-fill", "d": shape}),
    )


def _hourglass(x: float, y: float, width: float, height: float, waist: float) -> str:
    middle, upper, lower = x + width / 2, y + (height - waist) / 2, y + (height + waist) / 2
    return (
        f"M{x:g} {y:g}L{middle:g} {upper:.4g}L{x + width:g} {y:g}V{y + height:g}"
        f"L{middle:g} {lower:.4g}L{x:g} {y + height:g}Z"
    )


def _dots(facts: GlyphFacts) -> list[SafeString]:
    columns = max(1, math.ceil(facts.num_layers / _DOTS_PER_COLUMN))
    per_column = math.ceil(facts.num_layers / columns) if facts.num_layers else 0
    step = min(6.0, 34 / max(per_column, 1))
    covered = set(facts.layers)
    radius = min(1.6, step * 0.36, 7.0 / columns * 0.45)
    dots = []
    for layer in range(facts.num_layers):
        column, height = divmod(layer, per_column)
        name = "g-dot g-dot-on" if layer in covered else "g-dot"
        x = 7 + (column - (columns - 1) / 2) * min(4.0, 13 / columns)
        dots.append(element("circle", {"class": name, "cx": x, "cy": 36 - height * step, "r": radius}))
    return dots
