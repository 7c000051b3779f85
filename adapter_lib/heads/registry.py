"""From a head's description to its module."""

from collections.abc import Callable
from typing import Any

from torch import Tensor

from adapter_lib.heads.base import Head
from adapter_lib.spec.errors import AttachError
from adapter_lib.spec.heads import HeadSpec

Maker = Callable[[Any, int, Tensor], Head[Any]]

_MAKERS: dict[type[HeadSpec], Maker] = {}


def register_head_class(spec: type[HeadSpec], make: Maker) -> None:
    """Say which module a description describes. Raises AttachError for one that has a module."""
    if spec in _MAKERS:
        raise AttachError(f"Heads of the type {spec.type!r} are made by {_MAKERS[spec]} already.")
    _MAKERS[spec] = make


def make_head(spec: HeadSpec, hidden_size: int, like: Tensor) -> Head[Any]:
    """A head with starting values. Raises AttachError or ConfigError for one that cannot be."""
    return _MAKERS[type(spec)](spec, hidden_size, like)
