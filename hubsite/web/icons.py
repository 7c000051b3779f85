"""The site's few line icons, as path data on a 16 × 16 grid; each stands beside a word that says the same."""

from django.utils.safestring import SafeString

from hubsite.web.drawings.svg import element

_PATHS: dict[str, tuple[str, ...]] = {
    "check": ("M3.5 8.5l3 3 6-7",),
    "cross": ("M4 4l8 8M12 4l-8 8",),
    "seal": ("M8 1.5a6.5 6.5 0 1 0 0 13a6.5 6.5 0 1 0 0-13z", "M5 8.2l2.2 2.2L11 6"),
    "ring": ("M8 2.5a5.5 5.5 0 1 0 0 11a5.5 5.5 0 1 0 0-11z",),
    "half": ("M8 2.5a5.5 5.5 0 1 0 0 11a5.5 5.5 0 1 0 0-11z", "M8 2.5v11"),
    "turning": ("M13.5 8a5.5 5.5 0 1 1-2-4.2",),
    "dash": ("M4 8h8",),
    "dot": ("M8 7.2a.8.8 0 1 0 0 1.6a.8.8 0 1 0 0-1.6z",),
    "warning": ("M8 2l6.5 11.5h-13z", "M8 6.5v3.2M8 11.4v.4"),
    "note": ("M8 2.5a5.5 5.5 0 1 0 0 11a5.5 5.5 0 1 0 0-11z", "M8 7.4v3.4M8 5v.4"),
    "contrast": ("M8 2a6 6 0 1 0 0 12a6 6 0 1 0 0-12z", "M8 4.5a3.5 3.5 0 0 1 0 7z"),
    "lock": ("M4 7.5h8v6h-8zM5.5 7.5v-2a2.5 2.5 0 0 1 5 0v2",),
}


def icon(name: str) -> SafeString:
    """An `<svg>` hidden from screen readers: the word beside it speaks."""
    strokes = [element("path", {"d": data}) for data in _PATHS[name]]
    return element(
        "svg",
        {
            "viewBox": "0 0 16 16",
            "width": 16,
            "height": 16,
            "fill": "none",
            "stroke": "currentColor",
            "stroke_width": "1.6",
            "stroke_linecap": "round",
            "stroke_linejoin": "round",
            "class": f"icon icon-{name}",
            "aria_hidden": "true",
        },
        *strokes,
    )
