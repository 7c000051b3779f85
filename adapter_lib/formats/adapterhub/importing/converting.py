"""An adapter of AdapterHub's as one of ours, for one model."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from adapter_lib.formats.adapterhub.backbone import Backbone
from adapter_lib.formats.adapterhub.document import Document
from adapter_lib.formats.adapterhub.importing.bottleneck import bottleneck_config, bottleneck_tensors
from adapter_lib.formats.adapterhub.importing.invertible import invertible_tensors, is_unused
from adapter_lib.formats.adapterhub.importing.low_rank import low_rank_config, low_rank_tensors
from adapter_lib.formats.adapterhub.importing.prefix import prefix_config, prefix_tensors
from adapter_lib.formats.adapterhub.importing.prompt import prompt_config, prompt_tensors
from adapter_lib.formats.adapterhub.importing.reft import reft_config, reft_tensors, truly_orthogonal
from adapter_lib.formats.adapterhub.importing.source import Source
from adapter_lib.formats.adapterhub.importing.tensors import PlaceTensors, native
from adapter_lib.formats.adapterhub.names import PeerNames
from adapter_lib.spec.configs import (
    BnConfig,
    InvertibleConfig,
    MethodConfig,
    PrefixTuningConfig,
    PromptTuningConfig,
    ReftConfig,
    UnionConfig,
    members_of,
)


@dataclass(frozen=True)
class Converted:
    """config: ours. tensors: by the keys of our own files. set_aside: the file's keys that are not in them,
    each with the reason. unexpected: the file's keys that nobody asked for. notes: one sentence each."""

    config: MethodConfig
    tensors: dict[str, Tensor]
    set_aside: dict[str, str]
    unexpected: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def convert(document: Document, tensors: Mapping[str, Tensor], backbone: Backbone) -> Converted:
    """Ours for a read `adapter_config.json` and the tensors beside it. Raises LoadError or ConfigError."""
    source = Source(tensors, document.name, backbone.names.root)
    notes = list(document.notes)
    values = document.config
    if is_unused(values, source, backbone.names):
        values = values | {"inv_adapter": None}
        notes.append("The config names an invertible adapter, which the file does not hold; it was left out.")
    members = members_of(config_of(values, backbone.names))
    found: dict[str, Tensor] = {}
    settled: list[MethodConfig] = []
    for number, member in enumerate(members):
        exact = truly_orthogonal(member, source, backbone) if isinstance(member, ReftConfig) else member
        found |= native(_tensors(exact, source, backbone), str(number) if len(members) > 1 else "")
        settled.append(exact)
    config = settled[0] if len(settled) == 1 else UnionConfig(configs=tuple(settled))
    notes += [note for member in members for note in _differences(member, backbone)]
    return Converted(config, found, source.set_aside, tuple(source.left()), tuple(notes))


def _differences(config: MethodConfig, backbone: Backbone) -> Iterator[str]:
    """What the peer computes with such an adapter that ours does not."""
    names = backbone.names
    if isinstance(config, PromptTuningConfig) and not names.prompt_agrees:
        yield "The prompt stood behind the positions and their norm; here it is among the tokens' embeddings."
    if isinstance(config, ReftConfig) and config.subtract_projection and config.name() != "loreft":
        yield (
            "A DiReFT's file is that of a NoReFT, as which this one was read: if it is a DiReFT, add "
            '"subtract_projection": false to its config.'
        )
    if isinstance(config, PrefixTuningConfig) and config.moves_keys and config.leave_out:
        yield "Without a prefix in a tower's first layer its other layers lost their bias by distance."


def config_of(given: Mapping[str, Any], names: PeerNames) -> MethodConfig:
    """Ours for a complete config of the peer. Raises LoadError or ConfigError for what ours does not take."""
    architecture = given["architecture"]
    if architecture == "union":
        return UnionConfig(configs=tuple(config_of(member, names) for member in given["configs"]))
    if architecture in ("lora", "mtl_lora"):
        return low_rank_config(given, names)
    if architecture == "prefix_tuning":
        return prefix_config(given, names)
    if architecture == "prompt_tuning":
        return prompt_config(given)
    if architecture == "reft":
        return reft_config(given)
    return bottleneck_config(given, names)


def _tensors(config: MethodConfig, source: Source, backbone: Backbone) -> Iterator[PlaceTensors]:
    if isinstance(config, BnConfig):
        return bottleneck_tensors(config, source, backbone)
    if isinstance(config, InvertibleConfig):
        return invertible_tensors(config, source, backbone)
    if isinstance(config, PrefixTuningConfig):
        return prefix_tensors(config, source, backbone)
    if isinstance(config, PromptTuningConfig):
        return prompt_tensors(config, source, backbone)
    if isinstance(config, ReftConfig):
        return reft_tensors(config, source, backbone)
    return low_rank_tensors(config, source, backbone)
