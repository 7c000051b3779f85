"""Heads that a program brings along."""

import torch
from torch import Tensor

from adapter_lib.heads.base import Head
from adapter_lib.heads.registry import register_head_class
from adapter_lib.spec.errors import ConfigError
from adapter_lib.spec.heads import CustomSpec, register_custom_shapes
from adapter_lib.spec.heads.base import Shape

_KINDS: dict[str, type[Head[CustomSpec]]] = {}


def register_custom_head(kind: str, head: type[Head[CustomSpec]]) -> None:
    """Make a class of heads known under a name, its kind, which files then say.

    The class gets (spec, hidden_size, like); `spec.labels` and `spec.settings` are what `add_custom_head` was
    told. It must be registered wherever such a head is loaded. Raises ConfigError for another class under a
    name that is taken.
    """
    if not (isinstance(head, type) and issubclass(head, Head)):
        raise ConfigError(f"A custom head is a subclass of adapter_lib.heads.Head, not {head!r}.")
    if _KINDS.get(kind, head) is not head:
        raise ConfigError(f"The custom head {kind!r} is {_KINDS[kind].__name__} already.")
    _KINDS[kind] = head
    register_custom_shapes(kind, _shapes)


def _shapes(spec: CustomSpec, hidden_size: int) -> dict[str, Shape]:
    with torch.device("meta"):
        head = _KINDS[spec.kind](spec, hidden_size, torch.empty(0))
    return {name: tuple(value.shape) for name, value in head.named_parameters()}


def make_custom_head(spec: CustomSpec, hidden_size: int, like: Tensor) -> Head[CustomSpec]:
    """A head of a registered class. Raises ConfigError if this program has not registered it."""
    spec.shapes(hidden_size)
    return _KINDS[spec.kind](spec, hidden_size, like)


register_head_class(CustomSpec, make_custom_head)
