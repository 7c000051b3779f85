"""What porting gives: configs of ours, and every tensor under the key that it has in our files."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from torch import Tensor

from adapter_lib.formats.expected import shared_key, tensor_key
from adapter_lib.inject.atlas import Key
from adapter_lib.spec.configs import MethodConfig, UnionConfig


@dataclass(frozen=True)
class Member:
    """One config of ours and its tensors by place.

    filled: places that the config covers and the peer does not: their tensors change nothing.
    """

    config: MethodConfig
    tensors: dict[Key, dict[str, Tensor]]
    shared: dict[str, Tensor] = field(default_factory=dict)
    filled: frozenset[Key] = frozenset()


@dataclass(frozen=True)
class Ported:
    """An adapter of ours that computes what the peer's computes.

    backbone: parameters of the base model, by path, that the peer's file replaces and no adapter of ours has
        a place for: copied heads, biases and norms outside of the layers.
    """

    config: MethodConfig
    tensors: dict[str, Tensor]
    backbone: dict[str, Tensor]
    filled: frozenset[Key]

    @classmethod
    def of(cls, members: Sequence[Member], backbone: dict[str, Tensor]) -> "Ported":
        """Members as one adapter: a union where there are several."""
        is_union = len(members) > 1
        config = UnionConfig(configs=tuple(m.config for m in members)) if is_union else members[0].config
        tensors: dict[str, Tensor] = {}
        for index, member in enumerate(members):
            number = str(index) if is_union else ""
            for key, held in member.tensors.items():
                named = {f"{number}.{name}" if number else name: value for name, value in held.items()}
                tensors |= {tensor_key(key, name): value for name, value in named.items()}
            tensors |= {shared_key(number, name): value for name, value in member.shared.items()}
        filled = frozenset(key for member in members for key in member.filled)
        return cls(config, tensors, backbone, filled)
