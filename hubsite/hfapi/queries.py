"""Values in query strings, in every spelling the clients have (hf_protocol section 1)."""

from collections.abc import Mapping

from django.http import QueryDict

TRUE_VALUES = frozenset({"true", "1"})


def flag(query: Mapping[str, str] | QueryDict, name: str) -> bool:
    """A switch: `true`, `True` or `1`; anything else and absence are false."""
    return (query.get(name) or "").lower() in TRUE_VALUES


def values(query: QueryDict, *names: str) -> list[str]:
    """All values of repeated keys, commas split, blanks removed."""
    return [
        part.strip()
        for name in names
        for item in query.getlist(name)
        for part in item.split(",")
        if part.strip()
    ]
