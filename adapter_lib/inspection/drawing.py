"""A heat map as SVG."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from xml.sax.saxutils import escape

_CELL_HEIGHT, _GAP, _MARGIN, _HEAD = 24, 2, 16, 52
_LETTER = 6.6  # the usual width of a letter of 12 pixels
_LEAST_CELL = 56.0
# From nothing to everything, as red, green, blue.
_PALE, _DEEP = (238, 243, 248), (12, 74, 126)
_INK, _PAPER = "#1b2733", "#ffffff"


@dataclass(frozen=True)
class Drawing:
    """A picture; notebooks show it."""

    svg: str

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write it to a file and hand the path back."""
        Path(path).write_text(self.svg, encoding="utf-8")
        return Path(path)

    def _repr_svg_(self) -> str:
        return self.svg


def heat_map(
    title: str, rows: Sequence[str], columns: Sequence[str], values: Sequence[Sequence[float | None]]
) -> Drawing:
    """One cell per row and column: the deeper, the nearer to 1; None is left empty.

    values: from 0 to 1, by row and column.
    """
    left = _MARGIN + max((len(row) for row in rows), default=0) * _LETTER + 10
    cell = max(_LEAST_CELL, *(len(column) * _LETTER + 12 for column in columns))
    width = max(left + len(columns) * cell, _MARGIN + len(title) * _LETTER * 1.2) + _MARGIN
    height = _HEAD + len(rows) * _CELL_HEIGHT + _MARGIN
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height}" width="{width:.0f}" '
        f'height="{height}" font-family="sans-serif" font-size="12" role="img">',
        f"<title>{escape(title)}</title>",
        f'<rect width="100%" height="100%" fill="{_PAPER}"/>',
        _text(_MARGIN, 20, title, weight="bold"),
    ]
    for number, column in enumerate(columns):
        parts.append(_text(left + (number + 0.5) * cell, _HEAD - 10, column, anchor="middle"))
    for number, (row, cells) in enumerate(zip(rows, values, strict=True)):
        top = _HEAD + number * _CELL_HEIGHT
        parts.append(_text(left - 10, top + 16, row, anchor="end"))
        parts += [
            _cell(left + at * cell, top, cell, value, f"{row}, {column}")
            for at, (column, value) in enumerate(zip(columns, cells, strict=True))
            if value is not None
        ]
    return Drawing("\n".join([*parts, "</svg>"]) + "\n")


def _cell(x: float, y: float, width: float, value: float, what: str) -> str:
    share = min(max(value, 0.0), 1.0)
    red, green, blue = (round(pale + (deep - pale) * share) for pale, deep in zip(_PALE, _DEEP, strict=True))
    ink = _PAPER if share > 0.5 else _INK
    return (
        f"<g><title>{escape(what)}: {value:.4f}</title>"
        f'<rect x="{x:.1f}" y="{y}" width="{width - _GAP:.1f}" height="{_CELL_HEIGHT - _GAP}" rx="3" '
        f'fill="#{red:02x}{green:02x}{blue:02x}"/>'
        + _text(x + (width - _GAP) / 2, y + 15, f"{value:.2f}", anchor="middle", fill=ink)
        + "</g>"
    )


def _text(
    x: float, y: float, text: str, *, anchor: str = "start", fill: str = _INK, weight: str = "normal"
) -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{fill}" font-weight="{weight}">'
        f"{escape(text)}</text>"
    )
