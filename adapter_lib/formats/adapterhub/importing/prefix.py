"""Prefix tuning: the peer has one pool per kind of attention, with all layers in one tensor.

What the pool gives is viewed as [length, 2 · layers, width], with keys and values of the covered layers in
turn.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import torch
from torch import Tensor

from adapter_lib.formats.adapterhub.backbone import Backbone
from adapter_lib.formats.adapterhub.importing.source import Source
from adapter_lib.formats.adapterhub.importing.tensors import PlaceTensors
from adapter_lib.formats.adapterhub.names import PeerNames
from adapter_lib.spec.configs import Place, PrefixTuningConfig
from adapter_lib.spec.configs.prefix_tuning import group_of
from adapter_lib.spec.errors import LoadError

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
    "leave_out",
)
_COPIES = ".prefix_tuning.pool."
# Ours → the peer's, of what all layers of a group share.
SHARED_NAMES = {"embedding": "wte.weight", "down.weight": "control_trans.0.weight"} | {
    "down.bias": "control_trans.0.bias"
}


def prefix_config(given: Mapping[str, Any], names: PeerNames) -> PrefixTuningConfig:
    """Ours for the peer's config."""
    values = {field: given[field] for field in _FIELDS}
    # The peer's gates are trained with a mean that counts padding.
    values["gate_over_padding"] = given["use_gating"]
    return PrefixTuningConfig(moves_keys=names.moves_keys, **values)


def prefix_tensors(config: PrefixTuningConfig, source: Source, backbone: Backbone) -> Iterator[PlaceTensors]:
    """Every attention's share, and what a group shares."""
    _leave_copies(source)
    for group, places in groups_of(backbone.places(config)).items():
        pool = backbone.pool(places[0], source.name)
        if not config.flat:
            shared = {f"{group}.{ours}": source.take(f"{pool}.{key}") for ours, key in SHARED_NAMES.items()}
            yield None, shared
        for number, place in enumerate(places):
            yield (
                place,
                _share(config, source, pool, (number, len(places))) | _gates(config, source, backbone, place),
            )


def groups_of(places: Iterable[Place]) -> dict[str, list[Place]]:
    """The attentions of a prefix by group, each of which is one pool of the peer."""
    groups: dict[str, list[Place]] = {}
    for place in places:
        groups.setdefault(group_of(place), []).append(place)
    return groups


def _share(
    config: PrefixTuningConfig, source: Source, pool: str, layer: tuple[int, int]
) -> dict[str, Tensor]:
    number, count = layer
    if config.flat:
        flat = source.take(f"{pool}.control_trans")
        pairs = config.prefix_length * 2 * count
        if flat.numel() % pairs:
            raise LoadError(
                f"The tensor {pool}.control_trans has {flat.numel()} values, which cannot be keys and values "
                f"of {config.prefix_length} tokens in {count} layers."
            )
        whole = flat.view(config.prefix_length, 2 * count, -1)
        return {"key": whole[:, 2 * number], "value": whole[:, 2 * number + 1]}
    last = f"{pool}.control_trans.2"
    return {f"up.{kind}": _part(source, f"{last}.{kind}", number, count) for kind in ("weight", "bias")}


def _part(source: Source, key: str, number: int, count: int) -> Tensor:
    whole = source.take(key)
    if whole.dim() == 0 or len(whole) % count:
        raise LoadError(f"The tensor {key} {list(whole.shape)} cannot be cut into {count} layers.")
    return whole.chunk(count)[number]


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
            raise LoadError(f"The file has no tensor *{rest}, which {key} should repeat.")
        if not torch.equal(source.take(key), source.take(original)):
            raise LoadError(f"{key} should repeat {original} and says something else.")
        source.leave(key, "the pool again")
