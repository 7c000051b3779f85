"""Our own checkpoints."""

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from adapter_lib.families import PLAIN, list_families
from adapter_lib.inspection.checkpoints.report import (
    BackboneFacts,
    Checkpoint,
    Problem,
    bytes_of,
    sizes_of,
    type_problems,
)
from adapter_lib.inspection.checkpoints.tensors import TensorFact, facts_of
from adapter_lib.spec.configs import config_to_dict, members_of
from adapter_lib.spec.configs.low_rank import LowRankConfig
from adapter_lib.spec.manifest import HEAD_PREFIX, WEIGHTS_FILE, Manifest, parse_manifest

_LAYER = re.compile(r"layers\.(\d+)\.(.+)")


def read_native(folder: Path, values: Mapping[str, Any]) -> Checkpoint:
    """What a folder says. Raises ManifestError, HeaderError, LoadError where it cannot be read at all."""
    manifest = parse_manifest(values)
    facts = facts_of(folder / WEIGHTS_FILE)
    own = [fact for fact in facts if not fact.name.startswith(HEAD_PREFIX)]
    config = config_to_dict(manifest.config)
    return Checkpoint(
        folder=folder,
        format="native",
        method=manifest.config.name(),
        config=config,
        backbone=_backbone(manifest),
        tensors=own,
        weights=[folder / WEIGHTS_FILE],
        size=bytes_of([folder / WEIGHTS_FILE]),
        head=manifest.to_dict()["head"],
        head_tensors=[fact for fact in facts if fact.name.startswith(HEAD_PREFIX)],
        problems=tuple(_problems(manifest, own)),
        sizes=sizes_of(config),
    )


def _backbone(manifest: Manifest) -> BackboneFacts:
    said = manifest.backbone
    return BackboneFacts(
        said.id or None, said.revision, said.fingerprint, said.model_type, said.hidden_size, said.num_layers
    )


def _problems(manifest: Manifest, own: Sequence[TensorFact]) -> Iterator[Problem]:
    yield from type_problems(own)
    families = [family.name for family in list_families()]
    if manifest.family not in (*families, PLAIN.name):
        yield Problem(
            "backbone.family", f"This release has no role table for the family {manifest.family!r}."
        )
    layers: dict[int, list[str]] = defaultdict(list)
    for fact in own:
        found = _LAYER.fullmatch(fact.name)
        if found:
            layers[int(found[1])].append(found[2])
    beyond = [number for number in layers if number >= manifest.backbone.num_layers]
    if beyond:
        yield Problem(
            "tensors.layer",
            f"There are tensors of layer {min(beyond)}, but the backbone has "
            f"{manifest.backbone.num_layers} layers.",
        )
    yield from _gaps(layers)
    yield from _ranks(manifest, own)


def _gaps(layers: Mapping[int, Sequence[str]]) -> Iterator[Problem]:
    """Tensors that a layer lacks though it has others of the same place, and other layers have this one."""
    by_place: dict[str, dict[int, set[str]]] = defaultdict(lambda: defaultdict(set))
    for number, names in layers.items():
        for name in names:
            by_place[".".join(name.split(".")[:2])][number].add(name)
    for held in by_place.values():
        every = set().union(*held.values())
        for number, own in held.items():
            for name in sorted(every - own):
                yield Problem(
                    "tensors.missing", f"The tensor layers.{number}.{name} is missing; other layers have it."
                )


def _ranks(manifest: Manifest, own: Sequence[TensorFact]) -> Iterator[Problem]:
    """Low-rank matrices of another rank than their config says, where it says one for all places."""
    members = members_of(manifest.config)
    for index, config in enumerate(members):
        if not isinstance(config, LowRankConfig) or config.rank_pattern is not None:
            continue
        ending = f".{index}.lora_a" if len(members) > 1 else ".lora_a"
        for fact in own:
            if fact.name.endswith(ending) and config.r not in fact.shape:
                yield Problem(
                    "tensors.shape",
                    f"The tensor {fact.name} {list(fact.shape)} has not the rank {config.r} of the config.",
                )
