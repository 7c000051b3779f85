"""Numbers as people read them: sizes, counts, durations, ages."""

from datetime import datetime

_UNITS = ("B", "kB", "MB", "GB", "TB")


def file_size(size: int | None) -> str:
    """Decimal units with at most one decimal, as download pages show them; empty when unknown."""
    if size is None:
        return ""
    value, unit = float(size), 0
    while value >= 999.95 and unit < len(_UNITS) - 1:
        value, unit = value / 1000, unit + 1
    return f"{value:.0f} B" if unit == 0 else f"{_short(value)} {_UNITS[unit]}"


def count(value: int) -> str:
    """`1.2k`, `3.4M`: for numbers whose last digits say nothing."""
    for limit, suffix in ((1_000_000_000, "G"), (1_000_000, "M"), (1000, "k")):
        if value >= limit:
            return f"{_short(value / limit)}{suffix}"
    return str(value)


def _short(value: float) -> str:
    return f"{value:.0f}" if value >= 99.5 else f"{value:.1f}".removesuffix(".0")


def exact(value: int) -> str:
    """With thin spaces between thousands: `73 728`."""
    return f"{value:,}".replace(",", "\u202f")


def duration(milliseconds: int | None) -> str:
    """`40 ms`, `1.2 s`, `2 min 5 s`; empty when unknown."""
    if milliseconds is None:
        return ""
    if milliseconds < 1000:
        return f"{milliseconds} ms"
    if milliseconds < 60_000:
        return f"{milliseconds / 1000:.1f} s"
    minutes, seconds = divmod(round(milliseconds / 1000), 60)
    return f"{minutes} min {seconds} s"


def age(moment: datetime, now: datetime) -> str:
    """`just now`, `5 minutes ago`, `3 days ago`, `2 years ago`."""
    seconds = max(0, int((now - moment).total_seconds()))
    for length, unit in (
        (31_557_600, "year"),
        (2_629_800, "month"),
        (86_400, "day"),
        (3600, "hour"),
        (60, "minute"),
    ):
        if seconds >= length:
            many = seconds // length
            return f"{many} {unit}{'s' if many > 1 else ''} ago"
    return "just now"
