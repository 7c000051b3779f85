"""An adapter of the peer as one of ours."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from torch import Tensor

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
from tests.interop.porting.backbone import Backbone
from tests.interop.porting.bottleneck import bottleneck_config, bottleneck_tensors
from tests.interop.porting.invertible import invertible_tensors
from tests.interop.porting.low_rank import low_rank_config, low_rank_tensors
from tests.interop.porting.names import PeerNames
from tests.interop.porting.prefix import prefix_config, prefix_tensors
from tests.interop.porting.prompt import prompt_config, prompt_tensors
from tests.interop.porting.reft import reft_config, reft_tensors, truly_orthogonal
from tests.interop.porting.source import PortingError, Source
from tests.interop.porting.tensors import PlaceTensors, native


@dataclass(frozen=True)
class Ported:
    """config: ours. tensors: by the keys of our own files. set_aside: the peer's keys that are not in them,
    each with the reason. taken: how many of the peer's tensors are."""

    config: MethodConfig
    tensors: dict[str, Tensor]
    set_aside: dict[str, str]
    taken: int


def port_adapter(document: Mapping[str, Any], tensors: Mapping[str, Tensor], backbone: Backbone) -> Ported:
    """Ours for the peer's adapter_config.json and the tensors beside it. Raises PortingError."""
    source = Source(tensors, document["name"])
    members = members_of(port_config(document["config"], backbone.names))
    found: dict[str, Tensor] = {}
    settled: list[MethodConfig] = []
    for number, member in enumerate(members):
        exact = truly_orthogonal(member, source, backbone) if isinstance(member, ReftConfig) else member
        found |= native(_tensors(exact, source, backbone), str(number) if len(members) > 1 else "")
        settled.append(exact)
    if source.left():
        raise PortingError(f"The file has tensors without a place: {', '.join(source.left())}.")
    config = settled[0] if len(settled) == 1 else UnionConfig(configs=tuple(settled))
    return Ported(config, found, source.set_aside, len(tensors) - len(source.set_aside))


def port_config(given: Mapping[str, Any], names: PeerNames) -> MethodConfig:
    """Ours for the `config` of an adapter_config.json. Raises PortingError for an unknown architecture."""
    architecture = given.get("architecture")
    if architecture == "union":
        return UnionConfig(configs=tuple(port_config(member, names) for member in given["configs"]))
    if architecture in ("lora", "mtl_lora"):
        return low_rank_config(given, names)
    if architecture == "prefix_tuning":
        return prefix_config(given)
    if architecture == "prompt_tuning":
        return prompt_config(given)
    if architecture == "reft":
        return reft_config(given)
    if architecture is None:
        return bottleneck_config(given, names)
    raise PortingError(f"There is no method of ours for the architecture {architecture!r}.")


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
