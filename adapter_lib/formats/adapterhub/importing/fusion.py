"""AdapterFusion: what a Fuse has learned, from the folder of AdapterHub's library."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from adapter_lib.formats.adapterhub.backbone import Backbone
from adapter_lib.formats.adapterhub.document import FUSION, fill
from adapter_lib.formats.adapterhub.importing.source import Source
from adapter_lib.formats.conversion import ADAPTERHUB
from adapter_lib.formats.expected import tensor_key
from adapter_lib.formats.reading import read_object, read_tensors
from adapter_lib.formats.report import LoadReport
from adapter_lib.inject import Atlas, Injection, Key
from adapter_lib.spec.configs import BnConfig, FusionConfig, MethodConfig, Place, members_of
from adapter_lib.spec.errors import AdapterLibError, LoadError, listing
from adapter_lib.spec.strict_json import quoted
from adapter_lib.spec.strings import parse_config

CONFIG_FILE = "adapter_fusion_config.json"
WEIGHTS_FILE = "model_adapter_fusion.safetensors"
PICKLE_FILE = "pytorch_model_adapter_fusion.bin"
# c of the regularisation there, where it is on.
REGULARISATION = 0.01
FIELDS = ("query", "key", "value", "query_before_ln", "residual_before", "value_initialized")

Parts = dict[Key, dict[str, Tensor]]


@dataclass(frozen=True)
class ImportedFusion:
    """A fusion as ours: its name and adapters there, and the tensors of every place."""

    name: str
    adapters: tuple[str, ...]
    config: FusionConfig
    parts: Parts


def is_fusion(folder: Path) -> bool:
    """True for the folder of a fusion of AdapterHub's library."""
    return (folder / CONFIG_FILE).is_file()


def adapters_of(folder: Path) -> tuple[str, ...]:
    """The adapters that a fusion's folder combines. Raises LoadError."""
    return _names(read_object(folder / CONFIG_FILE))[1]


def read_fusion(folder: Path, atlas: Atlas, known: Mapping[str, MethodConfig]) -> ImportedFusion:
    """A fusion for a model with these places. known: the configs of adapters, by their name in the file.

    Raises LoadError for files that are unsound, for what has no counterpart, for adapters that are not there
    and for tensors that do not fit.
    """
    document = read_object(folder / CONFIG_FILE)
    name, adapters = _names(document)
    absent = [adapter for adapter in adapters if adapter not in known]
    if absent:
        raise LoadError(
            f"The fusion in {folder} combines {listing(adapters)}; {listing(absent)} is not on this model: "
            "load that first, or say with rename= what it is called here."
        )
    tensors, _ = read_tensors(folder, WEIGHTS_FILE, PICKLE_FILE)
    bottlenecks = [member for member in members_of(known[adapters[-1]]) if isinstance(member, BnConfig)]
    if not bottlenecks:
        raise LoadError(f"{adapters[-1]!r} is no bottleneck, and AdapterHub's library fuses these only.")
    config = fusion_config(document.get("config"), bottlenecks[0])
    places: dict[Key, Place] = {}
    for adapter in adapters:
        places |= {spot.key: spot.place for spot in atlas.find_all(known[adapter])}
    parts = fusion_parts(tensors, name, Backbone.of(atlas), sorted(places))
    for key, place in places.items():
        _check(key, parts[key], config.block_shapes(place, len(adapters)))
    return ImportedFusion(name, adapters, config, parts)


def fusion_parts(tensors: Mapping[str, Tensor], name: str, backbone: Backbone, keys: list[Key]) -> Parts:
    """The tensors of a fusion by place. Raises LoadError for any without a place."""
    source = Source(tensors, name, backbone.names.root)
    found = {
        key: source.under(f"{backbone.path(backbone.atlas.spot(key).place)}.adapter_fusion_layer.{name}.")
        for key in keys
    }
    if source.left():
        raise LoadError(f"The fusion's file has tensors without a place: {', '.join(source.left()[:3])}.")
    return found


def fusion_config(given: Any, last: BnConfig) -> FusionConfig:
    """Ours for the peer's config.

    last: the config of the last child, whose norms the peer takes for the block's: without
    `original_ln_before` its query is the sub-layer's plain output, whatever the fusion says. Raises LoadError
    for a parallel child, whose input the peer would ask with, and for a temperature.
    """
    if isinstance(given, str):
        preset = parse_config(given)
        given = {field: value for field, value in preset.values().items() if field in FUSION}
        given["regularization"] = bool(given.get("regularization"))
    if not isinstance(given, Mapping):
        raise LoadError(f"{CONFIG_FILE}: config must be an object, not {quoted(repr(given))}.")
    values = fill(FUSION, given)
    if last.is_parallel:
        raise LoadError("A fusion whose last child is parallel asks with the sub-layer's input there.")
    if values["temperature"]:
        raise LoadError("A fusion's temperature falls with every call there, and its file does not hold it.")
    own = {field: values[field] for field in FIELDS}
    own["value_initialized"] = bool(values["value_initialized"])
    own["query_before_ln"] = bool(values["query_before_ln"]) or not last.original_ln_before
    is_regular = bool(values["regularization"]) and bool(values["value"])
    return FusionConfig(
        **own,
        regularization=REGULARISATION if is_regular else 0.0,
        dropout_prob=values["dropout_prob"] or 0.0,
    )


def attach_fusion(
    found: ImportedFusion, injection: Injection, name: str, adapters: tuple[str, ...]
) -> LoadReport:
    """Add a fusion under a name that is free, for adapters as they are called here.

    Raises AdapterLibError, and then it is not there.
    """
    block = ("fuse", name)
    injection.add_block(*block, found.config, adapters, len(found.adapters))
    matched: list[str] = []
    try:
        for key, part in injection.block_parts(*block).items():
            given = found.parts.get(key, {})
            for tensor, target in part.named_parameters():
                if tensor not in given:
                    raise LoadError(f"The fusion's file has no {tensor} for {tensor_key(key, tensor)}.")
                with torch.no_grad():
                    target.copy_(given[tensor])
                matched.append(tensor_key(key, tensor))
    except AdapterLibError:
        injection.remove_block(*block)
        raise
    return LoadReport(name, tuple(matched), format=ADAPTERHUB)


def _names(document: Mapping[str, Any]) -> tuple[str, tuple[str, ...]]:
    """(the fusion's name, its adapters'): a list, or in old files a text with commas."""
    name, given = document.get("name"), document.get("adapter_names")
    if not isinstance(name, str) or not name:
        raise LoadError(f"{CONFIG_FILE}: name must be the fusion's name, a part of the tensors' keys.")
    names = (name if given is None else given).split(",") if isinstance(given, str | None) else given
    if not isinstance(names, list) or not names or not all(isinstance(n, str) and n for n in names):
        raise LoadError(f"{CONFIG_FILE}: adapter_names must be a list of names.")
    return name, tuple(names)


def _check(key: Key, own: Mapping[str, Tensor], shapes: Mapping[str, tuple[int, ...]]) -> None:
    """Raises LoadError where a place has other tensors than its block needs."""
    for tensor, shape in shapes.items():
        found = own.get(tensor)
        if found is None or tuple(found.shape) != shape:
            has = "nothing" if found is None else str(list(found.shape))
            raise LoadError(f"The fusion's file has {has} for {tensor_key(key, tensor)} {list(shape)}.")
    more = [tensor for tensor in own if tensor not in shapes]
    if more:
        raise LoadError(
            f"The fusion's file has {more[0]!r} for {tensor_key(key, more[0])}, which has no place."
        )
