"""The types of heads, by the word that files have for them."""

from typing import TypeVar

from adapter_lib.spec.errors import ConfigError, listing
from adapter_lib.spec.fields import FieldError, Fields
from adapter_lib.spec.heads.base import HeadSpec

S = TypeVar("S", bound=HeadSpec)

_TYPES: dict[str, type[HeadSpec]] = {}


def register_head(spec: type[HeadSpec]) -> None:
    """Make a type known. Raises ConfigError for one that is there already."""
    if spec.type in _TYPES:
        raise ConfigError(f"There is a head of the type {spec.type!r} already: {listing(_TYPES)}.")
    _TYPES[spec.type] = spec


def head_types() -> tuple[str, ...]:
    """The words for all types."""
    return tuple(_TYPES)


def since_version(head_type: str) -> int:
    """The first version of the files' schema that has a type."""
    return _TYPES[head_type].SINCE_VERSION


def read_head(given: Fields) -> HeadSpec:
    """A head as `to_dict` wrote it. Raises FieldError."""
    head = _TYPES[given.choice("type", head_types())].read(given)
    given.done()
    return head


def checked(spec: S) -> S:
    """The same description, if a file could say it. Raises ConfigError for a value out of range."""
    try:
        read_head(Fields(spec.to_dict()))
    except FieldError as error:
        raise ConfigError(f"A head of the type {spec.type!r} cannot be: {error}") from None
    return spec
