"""Prefix tuning: the peer has one pool per kind of attention, with all layers in one tensor.

What the pool gives is viewed as [length, 2 · layers, width], with keys and values of the covered layers in
turn.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import torch
from torch import Tensor

from adapter_lib.spec.configs import Place, PrefixTuningConfig
from adapter_lib.spec.configs.prefix_tuning import group_of
from tests.interop.porting.backbone import Backbone
from tests.interop.porting.source import PortingError, Source
from tests.interop.porting.tensors import PlaceTensors

_FIELDS = (
    "prefix_length",
    "flat",
    "bottleneck_size",
    "non_linearity",
    "dropout",
    "encoder_prefix",
    "cross_prefix",
    "use_gating",
    "shared_gating",
)
_COPIES = ".prefix_tuning.pool."
# Ours → the peer's, of what all layers of a group share.
_SHARED = {"embedding": "wte.weight", "down.weight": "control_trans.0.weight"} | {
    "down.bias": "control_trans.0.bias"
}


def prefix_config(given: Mapping[str, Any]) -> PrefixTuningConfig:
    """Ours for the peer's config."""
    return PrefixTuningConfig(
        leave_out=tuple(given["leave_out"]), **{field: given[field] for field in _FIELDS}
    )


def prefix_tensors(config: PrefixTuningConfig, source: Source, backbone: Backbone) -> Iterator[PlaceTensors]:
    """Every attention's share, and what a group shares."""
    _leave_copies(source)
    groups: dict[str, list[Place]] = {}
    for place in backbone.places(config):
        groups.setdefault(group_of(place), []).append(place)
    for group, places in groups.items():
        pool = backbone.pool(places[0], source.name)
        if not config.flat:
            shared = {f"{group}.{ours}": source.take(f"{pool}.{key}") for ours, key in _SHARED.items()}
            yield None, shared
        for number, place in enumerate(places):
            yield (
                place,
                _share(config, source, pool, (number, len(places))) | _gates(config, source, backbone, place),
            )


def _share(
    config: PrefixTuningConfig, source: Source, pool: str, layer: tuple[int, int]
) -> dict[str, Tensor]:
    number, count = layer
    if config.flat:
        whole = source.take(f"{pool}.control_trans").view(config.prefix_length, 2 * count, -1)
        return {"key": whole[:, 2 * number], "value": whole[:, 2 * number + 1]}
    last = f"{pool}.control_trans.2"
    return {f"up.{kind}": source.take(f"{last}.{kind}").chunk(count)[number] for kind in ("weight", "bias")}


def _gates(config: PrefixTuningConfig, source: Source, backbone: Backbone, place: Place) -> dict[str, Tensor]:
    if not config.use_gating:
        return {}
    stem = f"{backbone.path(place)}.prefix_tuning.prefix_gates.{source.name}."
    return {f"gate.{kind}": source.take(stem + kind) for kind in ("weight", "bias")}


def _leave_copies(source: Source) -> None:
    """Every attention's reference to the pool is written again: they must say the same."""
    for key in [key for key in source.names() if _COPIES in key]:
        rest = f".prefix_tuning.{key.split(_COPIES)[1]}"
        original = next((other for other in source.names() if other.endswith(rest)), None)
        if original is None:
            raise PortingError(f"The file has no tensor *{rest}, which {key} should repeat.")
        if not torch.equal(source.take(key), source.take(original)):
            raise PortingError(f"{key} should repeat {original} and says something else.")
        source.leave(key, "the pool again")
