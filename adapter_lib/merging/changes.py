"""What an adapter changes in the weights of a model, map by map: W' - W as merging would make it."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import torch
from torch import Tensor, nn

from adapter_lib.engine import LowRank, Part, Several, WeightDelta
from adapter_lib.inject import Injection, Key
from adapter_lib.merging.cat import concatenated
from adapter_lib.merging.lora_config import key_for_lora
from adapter_lib.merging.low_rank import Delta, Factors, dense
from adapter_lib.methods import LoRA
from adapter_lib.points import maps, quantised
from adapter_lib.points.deltas import members_of, wide
from adapter_lib.spec.configs import Place
from adapter_lib.spec.errors import AttachError

_DOWN_ROLE = "ffn.down"
# Kinds of places that a LoRA can have.
_KINDS = ("linear", "conv", "embedding", "experts")


class Change(NamedTuple):
    """ΔW of one map and, where the bias changes too, Δb [out]."""

    delta: Delta
    bias: Tensor | None = None


@dataclass
class _Acting:
    """The parts at a map, and those that act on its input; key: of the map's own place."""

    key: Key
    parts: list[Part]
    before: list[Part]


@dataclass(frozen=True)
class Changes:
    """The changes that one adapter, or one member of a union, stands for.

    Raises AttachError if a part of it is no change of a map's weight.
    """

    injection: Injection
    name: str
    number: str | None = None

    def places(self) -> tuple[Key, ...]:
        """The maps that are changed, under the keys by which a LoRA reaches them."""
        return tuple(self._maps)

    def at(self, key: Key) -> Change:
        """The change of one map."""
        acting = self._maps[key]
        change = self._own(acting) if acting.parts else None
        if not acting.before and change is not None:
            return change
        weight = _weight_of(self.injection.atlas.spot(acting.key).module)
        return _with_columns(weight, change, [_update(part) for part in acting.before])

    @cached_property
    def _maps(self) -> dict[Key, _Acting]:
        found: dict[Key, _Acting] = {}
        atlas = self.injection.atlas
        for at, part in self.injection.parts(self.name).items():
            place = self.injection.points.points[at].place
            members = members_of_one(part, self.number)
            for member in members:
                _check(self.name, member, place)
            is_before = place.kind == "middle"
            if members:
                own = (at[0], _DOWN_ROLE) if is_before else at
                acting = found.setdefault(key_for_lora(atlas, own), _Acting(own, [], []))
                (acting.before if is_before else acting.parts).extend(members)
        return found

    def _own(self, acting: _Acting) -> Change:
        point = self.injection.points.points[acting.key]
        with torch.no_grad(), point.exactly([self.name]):
            factors = [each for each in map(factors_of, acting.parts) if each is not None]
            if len(factors) == len(acting.parts):
                return Change(concatenated(factors, [1.0] * len(factors)))
            updates = [_update(part) for part in acting.parts]
            weight, bias = exact(point.weight()), point.bias()
        delta = _in_turn(weight, [(update.rows, update.weight) for update in updates])
        found = Change(_matrix(delta, point.place))
        if bias is None:
            return found
        shift = _in_turn(exact(bias), [(update.rows, update.bias) for update in updates])
        return found._replace(bias=shift if bool(shift.any()) else None)


def members_of_one(part: Part | Several, number: str | None) -> list[Part]:
    """An adapter's parts at a place, or those of one member of the union that it is."""
    if number is None:
        return members_of(part)
    found = part.named_members().get(number) if isinstance(part, Several) else None
    return [] if found is None else [found]


def factors_of(part: Part) -> Factors | None:
    """b and a of a part whose update has them, its scale in b; None for any other."""
    if isinstance(part, LoRA):
        return _lora_factors(part)
    update = getattr(part, "update", None)
    found = update() if update is not None and part.place.kind == "linear" else None
    if not isinstance(found, LowRank):
        return None
    return Factors(exact(found.a), exact(found.b) * found.scale)


def exact(tensor: Tensor) -> Tensor:
    """The tensor without its gradient, in float64 where the device has that, else in float32."""
    return wide(tensor.detach())


def _check(name: str, part: Part, place: Place) -> None:
    what = f"{name!r} ({part.config.name()})"
    if part.gate is not None:
        raise AttachError(f"{what} has a gate, which looks at every input: it is no change of weights.")
    if place.kind == "norm":
        raise AttachError(f"{what} changes norms ({place.key}), and a LoRA has no place there.")
    if place.kind not in (*_KINDS, "middle") or type(part).weight_delta is Part.weight_delta:
        raise _refusal(what, place)


def _refusal(what: str, place: Place) -> AttachError:
    return AttachError(f"{what} is no change of weights at {place.key}, so no LoRA can do the same.")


def _in_turn(base: Tensor, updates: Sequence[tuple[Tensor | None, Tensor | None]]) -> Tensor:
    """What updates (a factor per row, what is added) make of `base` one after the other, less `base`.

    rows ⊙ (base + d) + added - base = rows ⊙ d + (rows - 1) ⊙ base + added, without the rounding of `base`.
    """
    delta = torch.zeros_like(base)
    for rows, added in updates:
        if rows is not None:
            factor = exact(rows).view(-1, *(1 for _ in base.shape[1:]))
            delta = factor * delta + (factor - 1) * base
        if added is not None:
            delta = delta + exact(added)
    return delta


def _with_columns(weight: Tensor, change: Change | None, updates: Sequence[WeightDelta]) -> Change:
    """W' diag(l) - W, with W' what `change` makes of W and l the product of the updates' factors."""
    factor = torch.ones_like(weight[0])
    for update in updates:
        if update.columns is not None:
            factor = factor * exact(update.columns)
    scaled = (factor - 1) * weight
    if change is None:
        return Change(scaled)
    return change._replace(delta=dense(change.delta) * factor + scaled)


def _weight_of(module: nn.Module) -> Tensor:
    packed = quantised.dequantised(module)
    return exact(maps.as_rows(module, maps.plain_weight(module) if packed is None else packed))


def _update(part: Part) -> WeightDelta:
    found = part.weight_delta()
    if found is None:
        raise _refusal(f"{part.adapter!r} ({part.config.name()})", part.place)
    return found


def _lora_factors(part: LoRA) -> Factors:
    """Those of s · B A, or of s · (B A - B0 A0)."""
    pairs = [(part.lora_a, part.scale * exact(part.lora_b))]
    if hasattr(part, "start_a"):
        pairs.append((part.start_a, -part.scale * exact(part.start_b)))
    a = torch.cat([_matrix(exact(a), part.place) for a, _ in pairs], -2)
    return Factors(a, torch.cat([b for _, b in pairs], -1))


def _matrix(weight: Tensor, place: Place) -> Tensor:
    return weight.flatten(1) if place.kind == "conv" else weight
