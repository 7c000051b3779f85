"""What templates need beside Django's own tags: icons and numbers in words."""

from datetime import datetime

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString

from hubsite.core.clock import now
from hubsite.web import icons, numbers

register = template.Library()


@register.simple_tag
def icon(name: str) -> SafeString:
    """One of the site's icons, hidden from screen readers."""
    return icons.icon(name)


@register.filter
def file_size(size: int | None) -> str:
    """Bytes for people."""
    return numbers.file_size(size)


@register.filter
def short_count(value: int) -> str:
    """`1.2k`."""
    return numbers.count(value)


@register.filter
def exact(value: int) -> str:
    """`1 284`."""
    return numbers.exact(value)


@register.filter
def duration(milliseconds: int | None) -> str:
    """`1.2 s`."""
    return numbers.duration(milliseconds)


@register.filter
def percent(value: float) -> str:
    """A fraction as points out of 100."""
    return f"{100 * value:.1f}"


@register.filter
def age(moment: datetime) -> SafeString:
    """`3 days ago`, with the exact time behind it."""
    return format_html(
        '<time datetime="{}" title="{} UTC">{}</time>',
        moment.isoformat(),
        moment.strftime("%Y-%m-%d %H:%M"),
        numbers.age(moment, now()),
    )
