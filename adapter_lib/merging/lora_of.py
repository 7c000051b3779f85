"""One LoRA of the changes of weights that adapters make, worked out map by map."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import torch

from adapter_lib.engine import Several
from adapter_lib.inject import Injection, Key, Spot
from adapter_lib.merging.changes import Changes
from adapter_lib.merging.lora_config import cover
from adapter_lib.merging.low_rank import Delta, Factors, dense, difference, norm
from adapter_lib.merging.magnitude_prune import keep_above, threshold_of
from adapter_lib.merging.report import LoRAReport, PlaceLoss
from adapter_lib.merging.strategies import Strategy
from adapter_lib.merging.svd import noise_of
from adapter_lib.methods import LoRA
from adapter_lib.points import like_of, quantised
from adapter_lib.spec.configs import LoRAConfig, MethodConfig
from adapter_lib.spec.errors import AttachError


class Kept(NamedTuple):
    """What becomes of one place: the factors, and how much of the update they hold."""

    factors: Factors
    loss: PlaceLoss


@dataclass(frozen=True)
class MadeLoRA:
    """A LoRA that is worked out but not attached.

    left_empty, dropped_biases: as in the report.
    """

    config: LoRAConfig
    kept: Mapping[Key, Kept]
    left_empty: tuple[str, ...]
    dropped_biases: tuple[str, ...]

    def fill(self, injection: Injection, name: str, number: str | None = None) -> None:
        """Write the factors into an adapter that was attached with the config.

        number: of the member that has the config, if the adapter is a union.
        """
        for key, part in injection.parts(name).items():
            member = part.named_members().get(number or "") if isinstance(part, Several) else part
            if isinstance(member, LoRA):
                _write(member, self.kept[key].factors if key in self.kept else None)

    def report(self, name: str, sources: Sequence[str], strategy: str, parameters: int) -> LoRAReport:
        """What is to be told of it once it is attached."""
        losses = tuple(kept.loss for kept in self.kept.values())
        given = tuple(sources)
        return LoRAReport(name, given, strategy, losses, parameters, self.left_empty, self.dropped_biases)


def lora_of(
    sources: Sequence[Changes],
    weights: Sequence[float],
    configs: Sequence[MethodConfig],
    strategy: Strategy,
    *,
    drop_biases: bool = False,
) -> MadeLoRA:
    """The LoRA that does, at every map that a source changes, what the strategy makes of the changes.

    configs: those of the sources, whose targets are said again where they fit.
    Raises AttachError for what is no change of a map's weight, and for a change of biases unless they are to
    be dropped; ConfigError for places that a LoRA cannot have.
    """
    atlas = sources[0].injection.atlas
    chosen = cover(atlas, dict.fromkeys(key for source in sources for key in source.places()), configs)
    thresholds = [_threshold(source, strategy) for source in sources]
    kept: dict[Key, Kept] = {}
    biases: list[str] = []
    for key in chosen.places:
        there = [number for number, source in enumerate(sources) if key in source.places()]
        changes = {number: sources[number].at(key) for number in there}
        if any(change.bias is not None for change in changes.values()):
            biases.append(chosen.places[key].key)
            if not drop_biases:
                raise AttachError(_about_biases(sources, key))
        if there:
            deltas = [_trimmed(change.delta, thresholds[number]) for number, change in changes.items()]
            delta = strategy.combined(deltas, [weights[n] for n in there], chosen.places[key].key)
            noise = sum(abs(weights[n]) * noise_of(c.delta) for n, c in changes.items())
            factors = strategy.factors(delta, noise)
            kept[key] = _kept(atlas.spot(key), delta, factors)
    config = chosen.config({key: each.loss.rank for key, each in kept.items()})
    empty = tuple(place.key for key, place in chosen.places.items() if key not in kept)
    return MadeLoRA(config, kept, empty, tuple(biases))


def _threshold(source: Changes, strategy: Strategy) -> float | None:
    """The magnitude below which an adapter is trimmed, where that is told from all its updates at once."""
    if strategy.density is None or not strategy.trims_whole():
        return None
    return threshold_of((dense(source.at(key).delta) for key in source.places()), strategy.density)


def _trimmed(delta: Delta, threshold: float | None) -> Delta:
    return delta if threshold is None else keep_above(dense(delta), threshold)


def _kept(spot: Spot, delta: Delta, factors: Factors) -> Kept:
    """What is kept of an update, as the LoRA's own type holds it, and what that lost."""
    held = Factors(*(each.to(_type_at(spot)) for each in factors))
    lost = norm(difference(delta, Factors(*(each.to(factors.a.dtype) for each in held))))
    return Kept(held, PlaceLoss(spot.place.key, held.a.shape[-2], norm(delta), lost))


def _type_at(spot: Spot) -> torch.dtype:
    is_map = spot.place.kind != "experts"
    return (quantised.like(spot.module) if is_map else like_of(spot.module)).dtype


def _write(part: LoRA, factors: Factors | None) -> None:
    with torch.no_grad():
        if factors is None:
            part.lora_a.zero_()
            part.lora_b.zero_()
            return
        part.lora_a.copy_(factors.a.reshape(part.lora_a.shape))
        part.lora_b.copy_(factors.b / part.scale)


def _about_biases(sources: Sequence[Changes], key: Key) -> str:
    names = ", ".join(repr(source.name) for source in sources)
    return (
        f"{names} change the bias at {sources[0].injection.atlas.spot(key).place.key}, which a LoRA cannot: "
        "drop_biases=True (of combine_adapters and to_lora) leaves biases as they are."
    )
