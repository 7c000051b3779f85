"""What reading gives: configs of ours with their tensors by place."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

from adapter_lib.formats.expected import shared_key, tensor_key
from adapter_lib.inject import Spot
from adapter_lib.inject.atlas import Key
from adapter_lib.spec.configs import MethodConfig, UnionConfig

Tensors = dict[str, Tensor]


@dataclass(frozen=True)
class Member:
    """One config of ours and its tensors by place.

    filled: places that the config covers and PEFT's does not: their tensors change nothing.
    """

    config: MethodConfig
    tensors: dict[Key, Tensors]
    shared: Tensors = field(default_factory=dict)
    filled: frozenset[Key] = frozenset()


def joined(members: Sequence[Member]) -> tuple[MethodConfig, Tensors]:
    """Members as one config, a union where there are several, and every tensor under its key in our files."""
    is_union = len(members) > 1
    config = UnionConfig(configs=tuple(m.config for m in members)) if is_union else members[0].config
    tensors: Tensors = {}
    for index, member in enumerate(members):
        number = str(index) if is_union else ""
        for key, held in member.tensors.items():
            named = {f"{number}.{name}" if number else name: value for name, value in held.items()}
            tensors |= {tensor_key(key, name): value.contiguous() for name, value in named.items()}
        tensors |= {shared_key(number, name): value.contiguous() for name, value in member.shared.items()}
    return config, tensors


def filled(members: Sequence[Member]) -> tuple[str, ...]:
    """The keys in our files of the tensors that no file of PEFT's gave."""
    found: list[str] = []
    for index, member in enumerate(members):
        number = f"{index}." if len(members) > 1 else ""
        for key in member.filled:
            found += [tensor_key(key, number + name) for name in member.tensors[key]]
    return tuple(sorted(found))


def nothing(config: MethodConfig, spots: Iterable[Spot]) -> dict[Key, Tensors]:
    """Zeros at these places."""
    return {
        spot.key: {name: torch.zeros(shape) for name, shape in config.shapes(spot.place).items()}
        for spot in spots
    }
