"""What every method's config can say about itself."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import MISSING, dataclass, fields
from types import MappingProxyType
from typing import Any, ClassVar

from adapter_lib.spec.errors import ConfigError

Shapes = dict[str, tuple[int, ...]]


@dataclass(frozen=True)
class Place:
    """One place in a backbone where a method may act, in numbers only.

    role: one of `adapter_lib.spec.roles`, or `module.PATH`.
    layer: counted from 0 through all towers; -1 for places that belong to no layer.
    width_in, width_out: of a linear map; equal where the place is a hidden state; an embedding's vocabulary
        and width; an attention's hidden size and the width of its keys.
    kind: "linear", "conv", "embedding", "experts", "norm" (things with weights), "site", "middle", "layer",
        "embed", "head" (hidden states on their way), "attention", "prompt", "positions", "logits".
    extent: a convolution's kernel, the number of experts, the width of what an attention gives to its output
        projection.
    tower: the tower's role, such as "encoder"; empty for places outside of all towers.
    has_bias: a map with weights or a norm has a bias.
    groups: of a convolution, each of which sees width_in channels of its own.
    """

    role: str
    layer: int
    width_in: int
    width_out: int
    kind: str = "linear"
    extent: tuple[int, ...] = ()
    tower: str = ""
    has_bias: bool = False
    groups: int = 1

    @property
    def key(self) -> str:
        """How files, records and patterns name it: `layers.3.attn.q`, `encoder.tokens`."""
        if self.layer >= 0:
            return f"layers.{self.layer}.{self.role}"
        return f"{self.tower}.{self.role}" if self.tower else self.role

    @property
    def width_features(self) -> int:
        """The width of what a gate or a router sees here: the input, but of an embedding the output."""
        return self.width_out if self.kind == "embedding" else self.width_in

    @property
    def width_result(self) -> int:
        """The width of what adapters change here: the output, of an attention what its projection gets."""
        return self.extent[0] if self.kind == "attention" else self.width_out


@dataclass(frozen=True)
class Aim:
    """One thing that a config asks for: all places of any of these roles, or modules by name.

    roles: `norm.*` is every role that starts so.
    word: what the config calls it, for error messages.
    pattern: a regular expression that a module's whole path in the base model must match.
    is_optional: True if it may match nothing.
    is_first_tower: True if only the first tower that has such a place is meant: an encoder, not its decoder.
    skips_encoders: True if towers are left out whose states another tower attends to.
    needs_bias: True if only places with a bias are meant.
    hint: what to do where nothing is found, a sentence for the error.
    """

    word: str
    roles: tuple[str, ...] = ()
    pattern: str | None = None
    is_optional: bool = False
    is_first_tower: bool = False
    skips_encoders: bool = False
    needs_bias: bool = False
    hint: str = ""

    def means(self, role: str) -> bool:
        """True if a role is one of `roles`."""
        return any(role == r or (r.endswith(".*") and role.startswith(r[:-1])) for r in self.roles)


@dataclass(frozen=True, eq=False, kw_only=True)
class MethodConfig:
    """Base of all configs: an immutable, validated record of one method's hyper-parameters.

    leave_out: the layers (counted from 0 through all towers) that get no adapter.
    use_gating: learn a gate per place, g = mean over the tokens of sigmoid(w · x + b) with x what the adapter
        sees, and multiply what the adapter adds by it (UniPELT, Mao et al. 2021,
        https://arxiv.org/abs/2110.07577). Padding does not count where the tower is told which tokens are.
    gate_over_padding: the gate's mean counts padding too, as that of AdapterHub's library does, whose gates
        were trained so; its importer sets it.
    Two configs are equal when method and values are equal, whichever preset they were made by.
    """

    method: ClassVar[str]
    # What `size` counts: "rank", "reduction", "tokens", "frequencies", "block"; "" where it says little.
    measure: ClassVar[str] = "rank"
    # Keys that other libraries' configs have and this one does not take, each with the reason.
    not_taken: ClassVar[Mapping[str, str]] = MappingProxyType({})

    leave_out: tuple[int, ...] = ()
    use_gating: bool = False
    gate_over_padding: bool = False

    def name(self) -> str:
        """What a person calls it: `lora`, `seq_bn` …"""
        raise NotImplementedError

    def aims(self) -> tuple[Aim, ...]:
        """Where it wants to act."""
        raise NotImplementedError

    def roles(self) -> tuple[str, ...]:
        """The roles it aims at, cross-attention's only where it is meant by itself: what a drawing shows."""
        found = [role for aim in self.aims() for role in aim.roles]
        twins = {f"x{role}" for aim in self.aims() for role in aim.roles if f"x{role}" in aim.roles}
        return tuple(role for role in dict.fromkeys(found) if role not in twins)

    def size(self) -> int | float:
        """The number people compare: the rank, the reduction factor, the number of tokens …"""
        raise NotImplementedError

    def shapes(self, place: Place) -> Shapes:
        """Names and shapes of the tensors one place needs, the gate's excluded."""
        raise NotImplementedError

    def shared_shapes(self, places: Sequence[Place]) -> Shapes:
        """Names and shapes of the tensors that all places of one adapter share; most methods have none."""
        return {}

    def decisive(self) -> tuple[str, ...]:
        """Tensors of a place that, all of them zero, leave the adapter without effect.

        Empty where that cannot be told from zeros alone.
        """
        return ()

    def block_shapes(self, place: Place, children: int) -> Shapes:
        """Names and shapes of the tensors one place needs, for the config of a composition block."""
        raise ConfigError(f"{self.name()} is no config of a composition block.")

    def covered_layers(self, count: int) -> tuple[int, ...]:
        """The covered layers of a backbone with `count` layers.

        Raises ConfigError if `leave_out` names a layer beyond it.
        """
        beyond = [layer for layer in self.leave_out if layer >= count]
        if beyond:
            raise ConfigError(
                f"leave_out names layer {beyond[0]}, but the backbone has {count} layers (0 to {count - 1})."
            )
        return tuple(layer for layer in range(count) if layer not in self.leave_out)

    def members(self) -> "tuple[MethodConfig, ...]":
        """The configs that this one stands for: itself, or those that it joins to one adapter."""
        return (self,)

    def all_shapes(self, place: Place) -> Shapes:
        """Names and shapes of every tensor of one place, its gate's included."""
        if not self.use_gating:
            return self.shapes(place)
        count = self.gates()
        return self.shapes(place) | {"gate.weight": (count, place.width_features), "gate.bias": (count,)}

    def gates(self) -> int:
        """How many gates a place has where it is gated."""
        return 1

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
    return [plain(item) for item in value] if isinstance(value, tuple) else value


def canonical_hash(config: MethodConfig) -> str:
    """sha256 (hex) over the method and the values that differ from the method's defaults.

    Equal settings have equal hashes, however they were written (`alpha=8` and `alpha=8.0`, preset or
    spelled out), and a field that a later release adds with a default changes no hash.
    """
    text = json.dumps(_canonical(config), sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()


def _canonical(value: object) -> object:
    """A value in JSON types, configs without what their method's own class has by default."""
    if isinstance(value, MethodConfig):
        defaults = _defaults(value)
        own = {field.name: getattr(value, field.name) for field in fields(value)}
        changed = {
            name: _canonical(held)
            for name, held in own.items()
            if name not in defaults or plain(held) != defaults[name]
        }
        return {"method": value.method, "config": changed}
    return [_canonical(item) for item in value] if isinstance(value, tuple) else plain(value)


def _defaults(config: MethodConfig) -> dict[str, object]:
    """The defaults of the class that names the method: presets are subclasses with others."""
    owner = next(cls for cls in type(config).__mro__ if "method" in vars(cls))
    return {field.name: plain(field.default) for field in fields(owner) if field.default is not MISSING}
