"""What every method's config can say about itself."""

import hashlib
import json
from dataclasses import dataclass, fields
from typing import Any, ClassVar

from adapter_lib.spec.errors import ConfigError

Shapes = dict[str, tuple[int, ...]]

LEAF_ROLES = ("attn.q", "attn.k", "attn.v", "attn.o", "ffn.up", "ffn.gate", "ffn.down")
SITE_ROLES = ("mh", "ffn")


@dataclass(frozen=True)
class Place:
    """One place in a backbone where a method may act, in numbers only.

    `role` is one of `LEAF_ROLES` (a linear map from `width_in` to `width_out`) or `SITE_ROLES` (a
    sub-layer's output, where both widths are the hidden size); `layer` counts from 0.
    """

    role: str
    layer: int
    width_in: int
    width_out: int


@dataclass(frozen=True, eq=False, kw_only=True)
class MethodConfig:
    """Base of all configs: an immutable, validated record of one method's hyper-parameters.

    `leave_out` lists the layers (counted from 0) that get no adapter.
    Two configs are equal when method and values are equal, whichever preset they were made by.
    """

    method: ClassVar[str]

    leave_out: tuple[int, ...] = ()

    def name(self) -> str:
        """What a person calls it: `lora`, `seq_bn` …"""
        raise NotImplementedError

    def roles(self) -> tuple[str, ...]:
        """Where it acts, from `LEAF_ROLES` and `SITE_ROLES`."""
        raise NotImplementedError

    def size(self) -> int | float:
        """The number people compare: the rank, or the reduction factor."""
        raise NotImplementedError

    def shapes(self, place: Place) -> Shapes:
        """Names and shapes of the tensors one place needs."""
        raise NotImplementedError

    def layers(self, count: int) -> tuple[int, ...]:
        """The covered layers of a backbone with `count` layers.

        Raises ConfigError if `leave_out` names a layer beyond it.
        """
        beyond = [layer for layer in self.leave_out if layer >= count]
        if beyond:
            raise ConfigError(
                f"leave_out names layer {beyond[0]}, but the backbone has {count} layers (0 to {count - 1})."
            )
        return tuple(layer for layer in range(count) if layer not in self.leave_out)

    def values(self) -> dict[str, Any]:
        """All fields in JSON types, in declaration order."""
        return {field.name: plain(getattr(self, field.name)) for field in fields(self)}

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, MethodConfig):
            return NotImplemented
        return self.method == other.method and self.values() == other.values()

    def __hash__(self) -> int:
        return hash(canonical_hash(self))


def plain(value: object) -> object:
    """A field's value in JSON types."""
    if hasattr(value, "to_json"):
        return value.to_json()
    return list(value) if isinstance(value, tuple) else value


def canonical_hash(config: MethodConfig) -> str:
    """sha256 (hex) over the method and its full config with normalised types.

    Equal settings have equal hashes, however they were written (`alpha=8` and `alpha=8.0`, preset or
    spelled out).
    """
    document = {"method": config.method, "config": config.values()}
    text = json.dumps(document, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()
