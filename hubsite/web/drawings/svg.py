"""Builds SVG as escaped text. Every drawing is a pure function of numbers and words."""

from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe

Value = str | int | float


def number(value: float) -> str:
    """At most two decimals, no trailing zeros: small files, and the same drawing gives the same bytes."""
    return f"{value:.2f}".rstrip("0").rstrip(".")


def element(name: str, attributes: dict[str, Value] | None = None, *children: str) -> SafeString:
    """`<name …>children</name>`; attribute values are escaped, a key's underscore becomes a hyphen.

    Children must be elements or the result of `text`; plain strings are escaped too.
    """
    pairs = "".join(
        f' {key.replace("_", "-")}="{escape(number(value) if isinstance(value, float) else value)}"'
        for key, value in (attributes or {}).items()
    )
    inner = "".join(child if isinstance(child, SafeString) else escape(child) for child in children)
    # Safe: every attribute and every plain child went through escape just above.
    return mark_safe(f"<{name}{pairs}>{inner}</{name}>")  # noqa: S308


def drawing(attributes: dict[str, Value], title: str, description: str, *children: str) -> SafeString:
    """An `<svg role="img">` whose title and description say in words what it shows."""
    words = [element("title", None, title)]
    if description:
        words.append(element("desc", None, description))
    label = f"{title}. {description}" if description else title
    base: dict[str, Value] = {"role": "img", "aria-label": label}
    return element("svg", {**base, **attributes}, *words, *children)
