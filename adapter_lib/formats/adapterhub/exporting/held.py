"""What an exporter is given, taken apart by member and place."""

from collections.abc import Mapping
from dataclasses import dataclass

from torch import Tensor

from adapter_lib.formats.adapterhub.backbone import Backbone
from adapter_lib.formats.adapterhub.importing.tensors import place_key
from adapter_lib.formats.conversion import Exportable
from adapter_lib.formats.expected import shared_key, tensor_key
from adapter_lib.spec.configs import MethodConfig, Place

Tensors = dict[str, Tensor]

_ROUNDING = 1e-9


@dataclass(frozen=True)
class Held:
    """One member of an adapter: its config, and its tensors by place and by our names.

    number: the member's in a union, else empty.
    """

    config: MethodConfig
    number: str
    given: Exportable
    backbone: Backbone

    @property
    def name(self) -> str:
        """The adapter's name, which is part of AdapterHub's keys."""
        return self.given.name

    @property
    def places(self) -> list[Place]:
        """Where the member acts, in the order of the layers."""
        return self.backbone.places(self.config)

    def at(self, place: Place) -> Tensors:
        """The tensors of one place."""
        wanted = self.config.all_shapes(place)
        return {tensor: self.given.tensors[self.key(place, tensor)] for tensor in wanted}

    def shared(self) -> Tensors:
        """What all places have in common."""
        wanted = self.config.shared_shapes(self.places)
        return {tensor: self.given.tensors[shared_key(self.number, tensor)] for tensor in wanted}

    def key(self, place: Place, tensor: str) -> str:
        """A tensor's key in our own files."""
        return tensor_key(place_key(place), f"{self.number}.{tensor}" if self.number else tensor)


@dataclass(frozen=True)
class Draft:
    """One member as AdapterHub's library has it: a complete config, tensors by its keys, sentences."""

    config: Mapping[str, object]
    tensors: Tensors
    notes: tuple[str, ...] = ()


def gates(own: Mapping[str, Tensor], stem: str) -> Tensors:
    """The tensors of a place's gate, if it has one."""
    kinds = ("gate.weight", "gate.bias")
    return {f"{stem}{kind}": own[kind] for kind in kinds if kind in own}


def whole(value: float) -> int | float:
    """A whole number as one: AdapterHub's library reckons with some as they stand in the file."""
    nearest = round(value)
    return nearest if abs(value - nearest) < _ROUNDING * max(1.0, abs(value)) else value
